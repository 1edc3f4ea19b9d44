"""The plan as a whole: what it rests on, what it says, and which rights it names."""

import json
from dataclasses import replace
from typing import Any

import pytest
from msgspec.json import decode

from bridge.errors import UsageError
from bridge.permissions import Surroundings, Task, policy_for
from bridge.planning import Aims, Figures, planned
from bridge.planning.draft import region_of
from bridge.planning.measuring.figures import Sink
from bridge.planning.prices.table import PriceTable, packaged
from bridge.planning.text import facts
from tests.bridge.planning.orders import FIGURES, STREAM, TOPIC, mirror, plan


def test_given_figures_go_before_measured_ones() -> None:
    """And what is not given is as it was measured, with where that is from."""
    measured = Figures(
        100, 500, 2, 3, 1, 48, 1e9, 4, on_demand=False, account="000000000001", region="eu-west-1", told_by="CloudWatch"
    )
    found = Figures(records_per_second=200).over(measured)
    assert found == replace(measured, records_per_second=200)


@pytest.mark.parametrize("figures", [Figures(), Figures(0.0, 100.0), Figures(told_by="nothing came")])
def test_without_a_load_there_is_nothing_to_plan_for(figures: Figures) -> None:
    """A mistake of usage, which says how to give one."""
    with pytest.raises(UsageError, match="--records-per-second"):
        plan(figures)


def test_what_was_assumed_is_said() -> None:
    """A number that nobody gave is not passed off as one that somebody did."""
    assumed = " ".join(plan(Figures(5_000, 1_000)).remarks)
    assert "--peak-factor" in assumed
    assert "--readers" in assumed
    assert "--retention-hours" in assumed
    assert "on-demand" in assumed
    assert plan(replace(FIGURES, retention_hours=96, on_demand=False)).remarks == ()
    assert not any("on-demand" in each for each in plan(source=TOPIC, sink=STREAM).remarks)


def test_what_stands_in_the_way_is_said() -> None:
    """A copy that never ends, records that go too soon, one worker where several are needed."""
    slow = plan(replace(FIGURES, partitions=1, retention_hours=24))
    assert any("never catches up" in each for each in slow.remarks)
    short = plan(replace(FIGURES, partitions=20, retention_hours=24))
    assert any("keep records of the source for 96 hours" in each for each in short.remarks)
    soon = plan(replace(FIGURES, sink=Sink(12, 24)))
    assert any("keep records of the sink for 96 hours" in each for each in soon.remarks)
    unseen = plan(replace(FIGURES, sink=Sink(unseen="there is no such topic yet")))
    assert any("no such topic" in each for each in unseen.remarks)
    alone = plan(Figures(200_000, 1_000, 1, 1), checkpoints={"sqlite": {"path": "places.db"}})
    assert any("the workers are too few: its checkpoints are for one" in each for each in alone.remarks)


def test_an_end_that_is_too_small_is_named() -> None:
    """A stream of either side, and a topic that is written: its partitions are frozen once records are in it."""
    small = plan(replace(FIGURES, partitions=3, sink=Sink(4, 24))).remarks
    assert "the source has 3 shards, and 22 are needed: split them" in small
    assert "the sink has 4 partitions, and 12 are needed: later, keys would move" in small
    left = plan(replace(FIGURES, partitions=4), source=TOPIC, sink=STREAM).remarks
    assert not any("the source has" in each for each in left)


def test_what_a_table_of_checkpoints_takes_is_told() -> None:
    """Two units for each of 22 shards and for the header, twice a second, a month."""
    made = plan(checkpoints={"dynamodb": {"table": "places"}})
    assert any("takes up to 241,776,000 write units a month" in each for each in made.remarks)


def test_prices_without_a_second_source_are_not_passed_off_as_checked() -> None:
    """They are those of the stream's own region, and the plan says so first."""
    asked = mirror({"kinesis": {"stream": "orders", "region": "eu-west-1"}})
    made = planned(asked, FIGURES, packaged(), Aims())
    assert made.prices.region == "eu-west-1"
    assert made.prices.remark in made.remarks[0]


def test_prices_of_another_place_are_not_passed_off_as_those_of_the_mirror() -> None:
    """Nor those of one end as those of both: what goes between regions is in no bill."""
    away = planned(
        mirror({"kinesis": {"stream": "orders", "region": "eu-west-2"}}), FIGURES, packaged(), Aims(), "us-east-1"
    )
    assert any("the mirror is in eu-west-2" in each for each in away.remarks)
    sink = {"kinesis": {"stream": "copy", "region": "eu-west-1"}}
    assert any("from us-east-1 to eu-west-1" in each for each in plan(sink=sink).remarks)


def test_a_price_of_brokers_that_nobody_can_size_is_not_passed_over() -> None:
    """A size that is misspelled would be left out of every bill, and the next one be called the cheapest."""
    text = packaged().text().replace('"kafka.m7g.large"', '"kafka.m7g.lagre"')
    made = planned(mirror(), FIGURES, decode(text, type=PriceTable), Aims(), "us-east-1")
    assert any("kafka.m7g.lagre" in each for each in made.remarks)


@pytest.mark.parametrize(
    ("source", "sink", "region"),
    [
        ({"kinesis": {"stream": "arn:aws:kinesis:eu-west-2:000000000001:stream/orders"}}, TOPIC, "eu-west-2"),
        (TOPIC, {"kinesis": {"stream": "orders", "region": "eu-west-3"}}, "eu-west-3"),
        (TOPIC, {"kinesis": {"stream": "orders"}}, None),
    ],
)
def test_the_region_is_that_of_the_ends_as_far_as_they_tell(source: Any, sink: Any, region: str | None) -> None:
    """By an ARN or by a key; what was measured goes before both."""
    assert region_of(mirror(source, sink), Figures()) == region
    assert region_of(mirror(source, sink), Figures(region="ap-south-1")) == "ap-south-1"


@pytest.mark.parametrize(
    ("source", "sink", "kinds"),
    [
        (STREAM, TOPIC, ("kinesis", "kafka")),
        (TOPIC, STREAM, ("kafka", "kinesis")),
        (STREAM, {"kinesis": {"stream": "copy", "region": "us-east-1"}}, ("kinesis", "kinesis")),
        (TOPIC, {"kafka": {"bootstrap_servers": ["c-1:9092"], "topic": "copy"}}, ("kafka", "kafka")),
    ],
    ids=["into a topic", "into a stream", "between streams", "between topics"],
)
def test_every_pair_has_a_plan(source: object, sink: object, kinds: tuple[str, str]) -> None:
    """Each side with all ways to have it, one of them the cheapest, and a document that is one of JSON."""
    made = plan(source=source, sink=sink)
    assert (made.source.kind, made.sink.kind) == kinds
    document = json.loads(json.dumps(made.to_json()))
    for side in document["sides"]:
        costs = {each["key"]: each["monthly_usd"] for each in side["offers"] if not each["obstacle"]}
        assert min(costs, key=lambda key: costs[key]) == side["cheapest"]
        assert all(
            each["monthly_usd"] == pytest.approx(sum(item["monthly_usd"] for item in each["items"]), abs=0.05)
            for each in side["offers"]
        )
    assert [name for name, _ in facts(made)][:4] == ["load", "readers", "source", "sink"]


def test_a_stream_that_is_written_into_has_no_shards_for_the_mirror_to_read() -> None:
    """Two readers poll 2 MB/s of a shard that takes 1: only where the mirror polls beside them it takes more shards."""
    figures = replace(FIGURES, readers=2)
    assert plan(figures, source=STREAM).source.partitions == 33
    into = plan(figures, source=TOPIC, sink=STREAM).sink
    assert (into.partitions, into.offers[0].size) == (26, "26 shards")
    bare = plan(figures, source=TOPIC, sink=STREAM, provenance="never").sink
    assert bare.partitions == 22


def test_the_bridge_pays_for_what_it_reads_of_an_on_demand_stream() -> None:
    """Polling a provisioned one is free."""
    provisioned, on_demand = plan(), plan(replace(FIGURES, on_demand=True))
    assert on_demand.bridge.cost - provisioned.bridge.cost == pytest.approx(12_238 * 0.04, rel=0.01)


def test_the_rights_are_those_of_the_table_for_this_configuration() -> None:
    """In the account and the region that were seen, and for a migration only where there is one."""
    made = plan(replace(FIGURES, account="000000000001"))
    around = Surroundings("us-east-1", "000000000001")
    assert made.policies == {
        task.value: policy_for(mirror(), [task], around) for task in (Task.RUN, Task.DOCTOR, Task.VERIFY, Task.PLAN)
    }
    moving = plan(cutover={"consumers": [{"application": "orders-app", "group": "orders"}]})
    assert {"translate", "cutover"} <= moving.policies.keys()
