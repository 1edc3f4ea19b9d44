"""``kmbridge plan``: what is printed and written, and the exit code."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bridge.cli.called import Called, call

BY_HAND = ("--records-per-second", "5000", "--bytes", "1000", "--peak-factor", "3")

Plan = Callable[..., Called]


@pytest.fixture
def plan(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Plan:
    """Calls the command with figures by hand: nobody is asked for anything."""
    config = tmp_path / "orders.yaml"
    config.write_text(
        "name: orders\n"
        "source: {kinesis: {stream: orders, region: us-east-1}}\n"
        "sink: {kafka: {bootstrap_servers: [b-1:9092], topic: orders}}\n"
    )
    return lambda *options: call(capsys, "plan", config, *BY_HAND, *options)


def test_elsewhere_than_on_a_terminal_it_prints_lines(plan: Plan) -> None:
    """What is needed, each way with its price, break-evens, notes, and of which day the prices are."""
    called = plan()
    assert called.code == 0
    lines = called.out.splitlines()
    assert "source\tKinesis stream orders: 22 shards needed" in lines
    assert "source\tKinesis provisioned\t22 shards\t424.86\tcheapest" in lines
    assert "mirror\tThe mirror on Fargate\t2 tasks of 1 vCPU, 2 GB\t72.08\t" in lines
    assert "cost before\t$425 a month" in lines
    assert sum(line.startswith("break-even: ") for line in lines) == 8
    assert any(line.startswith("note: ") and "--readers" in line for line in lines)
    assert lines[-1].startswith("prices: us-east-1, list prices of 2")


def test_json_has_the_whole_plan(plan: Plan) -> None:
    """The policies too, as IAM takes them."""
    document = json.loads(plan("--json").out)
    assert document["mirror"] == "orders"
    assert document["load"]["peak_factor"] == 3
    assert [side["cheapest"] for side in document["sides"]] == ["kinesis_provisioned", "msk_express"]
    assert {statement["Sid"] for statement in document["policies"]["run"]["Statement"]} == {
        "ReadStream",
        "DecryptStream",
    }
    assert document["policies"].keys() == {"run", "doctor", "verify", "plan"}


def test_the_page_and_the_prices_are_written_where_they_are_asked_for(plan: Plan, tmp_path: Path) -> None:
    """And a table that was written is one to go on with."""
    page, prices = tmp_path / "plan.html", tmp_path / "prices.json"
    assert plan("--html", page, "--save-prices", prices).code == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    prices.write_text(prices.read_text(encoding="utf-8").replace('"shard_hour": 0.015', '"shard_hour": 1.5'))
    dearer = json.loads(plan("--prices", prices, "--json").out)
    assert dearer["sides"][0]["cheapest"] == "kinesis_on_demand"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--region", "mars-north-1"), "mars-north-1"),
        (("--prices", "nowhere.json"), "nowhere.json"),
        (("--html", "/nowhere/plan.html"), "/nowhere/plan.html"),
    ],
)
def test_what_cannot_be_used_is_named(plan: Plan, options: tuple[str, ...], told: str) -> None:
    """With exit code 2, and a way out."""
    called = plan(*options)
    assert called.code == 2
    assert told in called.err
    assert "hint: " in called.err


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--region", "mars-north-1"), "the table has those of eu-west-1, us-east-1"),
        (("--prices", "nowhere.json"), "read the prices in nowhere.json"),
        (("--html", "/nowhere/plan.html"), "there is no folder /nowhere"),
        (("--save-prices", "/"), "it is a folder"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], told: str
) -> None:
    """With exit code 2: looking at a stream takes seconds, and one that is away half a minute."""
    monkeypatch.setattr("bridge.planning.measured", _nobody_asks)
    called = call(capsys, "plan", "kinesis://us-east-1/orders", "kafka://b-1:9092/orders", *options)
    assert called.code == 2
    assert told in called.err


def test_without_a_region_the_environment_s_is_whose_prices_count(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where clusters of Kafka do not tell where they are."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    called = call(capsys, "plan", "kafka://b-1:9092/orders", "kafka://c-1:9092/orders", *BY_HAND, "--json")
    assert json.loads(called.out)["prices"]["region"] == "eu-west-1"


async def _nobody_asks(*_: object) -> None:
    pytest.fail("the source was asked")


@pytest.mark.parametrize(
    "option", ["--records-per-second", "--bytes", "--peak-factor", "--growth", "--retention-hours"]
)
@pytest.mark.parametrize("value", ["inf", "nan", "-1"])
def test_figures_that_are_none_are_refused(plan: Plan, option: str, value: str) -> None:
    """By the option, with exit code 2; nothing is reckoned with them."""
    called = plan(option, value)
    assert called.code == 2
    assert option in called.err


def test_a_way_that_does_not_do_has_no_price(plan: Plan) -> None:
    """Neither in the table nor for a program: nobody takes it for one that is free."""
    too_much = ("--records-per-second", "1e9")
    assert (
        "sink\tMSK Express\t\t-\tno 30 brokers of a size that has a price take it" in plan(*too_much).out.splitlines()
    )
    offers = json.loads(plan(*too_much, "--json").out)["sides"][1]["offers"]
    assert [offer["monthly_usd"] for offer in offers if not offer["items"]] == [None, None]
