"""The table of prices, and what replaces it."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec import to_builtins

from bridge.errors import UsageError
from bridge.planning.prices import service
from bridge.planning.prices.price_list import SERVICES, SOURCE, products, rates
from bridge.planning.prices.table import PriceTable, packaged, read
from tests.support.http_double import Double, doubled

TABLE = packaged()
US = TABLE.rates("us-east-1")


def test_the_table_says_of_which_day_and_from_where_it_is() -> None:
    """A price without them is worth nothing."""
    assert date.fromisoformat(TABLE.as_of).year >= 2026
    assert {"us-east-1", "eu-west-1"} <= TABLE.regions.keys()
    for found in TABLE.regions.values():
        assert all(source.startswith("https://aws.amazon.com/") for source in found.sources)


def test_each_figure_has_a_second_source_or_is_said_to_have_none() -> None:
    """By itself or as part of a section; what no plan may pass off as checked is in the remark."""
    for found in TABLE.regions.values():
        told = to_builtins(found)
        named = _names({key: told[key] for key in ("kinesis", "msk", "fargate", "transfer")})
        for prefix in found.confirmed:
            assert any(_is_of(name, prefix) for name in named), prefix
        bare = [name for name in named if not any(_is_of(name, prefix) for prefix in found.confirmed)]
        assert all(name.partition(".")[0] in found.remark for name in bare), bare
        assert bool(bare) == bool(found.remark)


def test_everything_costs_something_but_a_stream_with_advantage() -> None:
    """A rate that was forgotten would make its way the cheapest."""
    for found in TABLE.regions.values():
        told = to_builtins(found)
        del told["kinesis"]["advantage"]["stream_hour"]
        assert all(rate > 0 for rate in _numbers({key: told[key] for key in ("kinesis", "msk", "fargate", "transfer")}))


def test_a_file_that_was_saved_is_read_again(tmp_path: Path) -> None:
    """With all that was changed in it."""
    file = tmp_path / "prices.json"
    file.write_text(TABLE.text().replace('"shard_hour": 0.015', '"shard_hour": 0.5'), encoding="utf-8")
    assert read(file).rates("us-east-1").kinesis.provisioned.shard_hour == 0.5
    assert read(file).rates("eu-west-1") == TABLE.rates("eu-west-1")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('"shard_hour": 0.015', '"shard_hour": "much"'), "shard_hour"),
        (('"shard_hour": 0.015', '"shard_hour": -0.015'), "shard_hour"),
        (('"cluster_hour"', '"clusterhour"'), "clusterhour"),
        (("{", "{{"), "malformed"),
    ],
)
def test_a_mistake_in_a_file_is_named(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    """With its key."""
    file = tmp_path / "prices.json"
    file.write_text(TABLE.text().replace(change[0], change[1], 1), encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        read(file)


def test_a_region_that_is_not_in_the_table_is_refused_with_those_that_are(tmp_path: Path) -> None:
    """And nothing is reckoned with the prices of another."""
    with pytest.raises(UsageError, match="eu-west-1, us-east-1"):
        TABLE.rates("ap-south-1")
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "nowhere.json")


def answer(usage: str, usd: float, **attributes: str) -> str:
    """As GetProducts tells a product, with a step that is free and one that is not."""
    dimensions = {"a": {"pricePerUnit": {"USD": "0.0000000000"}}, "b": {"pricePerUnit": {"USD": f"{usd:.10f}"}}}
    return json.dumps(
        {
            "product": {"attributes": {"usagetype": usage, **attributes}},
            "terms": {"OnDemand": {"sku.term": {"priceDimensions": dimensions}}},
        }
    )


ANSWERS = [
    answer("APS1-Storage-ShardHour", 0.02, group="Provisioned shard hour"),
    answer("APS1-OnDemand-BilledIncomingBytes", 0.1, group="OnDemand", operation="OnDemandDataIngested"),
    answer("APS1-Advantage-In", 0.04, group="OnDemand Advantage", kinesisAdvantageOperation="AdvantageDataIngested"),
    answer("APS1-Kafka.m7g.large", 0.255, group="Broker"),
    answer("APS1-Express.m7g.large", 0.51, group="ExpressBroker"),
    answer("APS1-Kafka.Storage.GP2", 0.12),
    answer("APS1-KafkaServerless-ClusterHours", 0.9375, group="Serverless"),
    answer("APS1-Fargate-vCPU-Hours:perCPU", 0.05),
    answer("APS1-Kafka.mcu.general", 99.0),
]


def test_the_price_list_is_understood() -> None:
    """By groups, operations and usage types, whichever region's; what it does not name is as in the table."""
    found = rates("ap-southeast-1", products(ANSWERS), US, "us-east-1")
    assert found.kinesis.provisioned.shard_hour == 0.02
    assert found.kinesis.on_demand.in_gb == 0.1
    assert found.kinesis.advantage.in_gb == 0.04
    assert found.msk.standard.broker_hour["kafka.m7g.large"] == 0.255
    assert found.msk.express.broker_hour["express.m7g.large"] == 0.51
    assert found.msk.standard.storage_gb_month == 0.12
    assert found.msk.serverless.cluster_hour == 0.9375
    assert found.fargate.cpu_hour == 0.05
    assert found.sources == (SOURCE,)


def test_a_rate_that_the_list_does_not_name_is_taken_from_the_table_and_named() -> None:
    """But for the size of a broker, which is then not to be had there."""
    found = rates("ap-southeast-1", products(ANSWERS), US, "us-east-1")
    assert found.kinesis.provisioned.put_unit == US.kinesis.provisioned.put_unit
    assert found.remark.endswith(": as of us-east-1")
    assert "kinesis.provisioned.put_unit" in found.remark
    assert "kinesis.provisioned.shard_hour" not in found.remark
    assert found.msk.standard.broker_hour.keys() == {"kafka.m7g.large"}


def test_a_region_of_which_the_list_has_nothing_is_refused() -> None:
    """It is misspelled, or new."""
    with pytest.raises(UsageError, match="--region"):
        rates("mars-north-1", products([]), US, "us-east-1")


@pytest.fixture
def price_list(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Mapping[str, Any]]]:
    """What a server that stands for AWS's was asked; each of its pages has one product."""
    asked: list[Mapping[str, Any]] = []

    class Handler(Double):
        def do_POST(self) -> None:  # noqa: N802  # the library's name
            asking = json.loads(self.body())
            asked.append(asking)
            page = int(asking.get("NextToken", 0))
            told: dict[str, object] = {"FormatVersion": "aws_v1", "PriceList": ANSWERS[page : page + 1]}
            if asking["ServiceCode"] == "AmazonKinesis" and page + 1 < len(ANSWERS):
                told["NextToken"] = str(page + 1)
            self.send(200, json.dumps(told).encode(), "application/x-amz-json-1.1")

    with doubled(Handler) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", url)
        yield asked


def test_aws_is_asked_for_one_region_to_the_last_page(price_list: list[Mapping[str, Any]]) -> None:
    """And the table is of that day then."""
    found = service.asked(TABLE, "eu-west-1", now_ms=1_800_000_000_000)
    assert found.as_of == "2027-01-15"
    assert found.rates("eu-west-1").fargate.cpu_hour == 0.05
    assert found.rates("us-east-1") == US
    assert {asking["ServiceCode"] for asking in price_list} == set(SERVICES)
    assert all(asking["Filters"][0]["Value"] == "eu-west-1" for asking in price_list)
    assert len(price_list) == len(ANSWERS) + len(SERVICES) - 1


def test_the_packaged_table_is_written_as_it_is_read() -> None:
    """So that a diff shows the price that changed, and nothing else."""
    assert isinstance(TABLE, PriceTable)
    file = Path(service.__file__).with_name("prices.json")
    assert json.loads(file.read_text(encoding="utf-8")) == json.loads(TABLE.text())


def _names(told: Mapping[str, Any], before: str = "") -> list[str]:
    """Of all figures, each with its sections before it."""
    return [
        name
        for key, value in told.items()
        for name in (_names(value, f"{before}{key}.") if isinstance(value, Mapping) else [f"{before}{key}"])
    ]


def _is_of(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def _numbers(told: Mapping[str, Any]) -> Iterator[float]:
    for value in told.values():
        if isinstance(value, Mapping):
            yield from _numbers(value)
        else:
            yield value
