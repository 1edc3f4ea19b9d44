"""What a migration costs, line by line, reckoned here by hand."""

from dataclasses import replace

import pytest

from bridge.planning import Aims
from bridge.planning.bill import Bill
from bridge.planning.measuring.figures import Sink
from bridge.planning.plan import Plan
from tests.bridge.planning.orders import FIGURES, RATES, STREAM, TOPIC, plan

HOURS = 730
DAYS = replace(FIGURES, retention_hours=24, on_demand=False)


def billed(made: Plan) -> Bill:
    assert made.bill is not None
    return made.bill


def test_a_stream_that_keeps_records_longer_pays_for_each_shard() -> None:
    """22 shards an hour, as the sink pays for three days more of what is in it."""
    found = billed(plan(DAYS))
    assert found.source_keeping == pytest.approx(22 * HOURS * RATES.kinesis.provisioned.extended_shard_hour)
    kept_gb = 5_000 * 1_170 * 72 * 3_600 / 2**30
    assert found.sink_keeping == pytest.approx(kept_gb * RATES.msk.express.storage_gb_month)


def test_what_is_kept_long_enough_already_costs_nothing_more() -> None:
    """Nor what is kept for ever, which only a look at it can tell."""
    long = billed(plan(replace(DAYS, retention_hours=168)))
    assert (long.source_keeping, long.sink_keeping) == (0, 0)
    for_ever = replace(FIGURES, partitions=12, retention_hours=None, sink=Sink(33, 168))
    found = billed(plan(for_ever, source=TOPIC, sink=STREAM))
    assert (found.source_keeping, found.sink_keeping) == (0, 0)


def test_the_sink_is_paid_for_what_it_keeps_itself() -> None:
    """A topic with a week of records stores seven times what one with a day of them does."""
    day, week = (billed(plan(replace(DAYS, sink=Sink(12, hours)))) for hours in (24, 168))
    gb = 5_000 * 1_170 * 144 * 3_600 / 2**30
    assert week.sink - day.sink == pytest.approx(gb * RATES.msk.express.storage_gb_month)


def test_meanwhile_all_is_paid_and_before_and_afterwards_one_end_without_the_mirror() -> None:
    """With two readers the mirror is the third that polls, for which the stream has half as many shards again."""
    figures = replace(DAYS, readers=2)
    found = billed(plan(figures))
    assert found.source - found.before == pytest.approx(11 * HOURS * RATES.kinesis.provisioned.shard_hour)
    assert found.after < found.sink
    parts = found.source + found.sink + found.mirror + found.source_keeping + found.sink_keeping
    assert found.meanwhile == parts
    assert found.to_json()["meanwhile_usd"] == round(parts, 2)


def test_a_stream_is_paid_for_as_it_is() -> None:
    """With the shards that it has, where it has more than it needs; on demand, where it is that."""
    shards = billed(plan(replace(DAYS, partitions=50)))
    hourly = 50 * HOURS * RATES.kinesis.provisioned.shard_hour
    units = FIGURES.load().records_per_month * RATES.kinesis.provisioned.put_unit
    assert shards.before == shards.source == pytest.approx(hourly + units)
    made = plan(replace(DAYS, on_demand=True, partitions=50))
    (offer,) = [each for each in made.source.offers if each.key == made.source.way_now]
    assert billed(made).before == billed(made).source == offer.cost


def test_the_copy_is_paid_once_for_what_it_moves() -> None:
    """A day of records into Express brokers: written, and two thirds of it out of one zone and into another."""
    gb = 5_000 * 1_170 * 24 * 3_600 / 2**30
    rate = RATES.msk.express.in_gb + 2 * 2 / 3 * RATES.transfer.zone_gb
    assert billed(plan(DAYS)).once == pytest.approx(gb * rate)


def test_where_no_way_does_there_is_no_bill() -> None:
    """A sum without one of its parts would look like one that is cheap."""
    assert plan(replace(DAYS, records_per_second=1e7), Aims()).bill is None


def test_a_topic_of_serverless_is_paid_for_what_the_mirror_takes_out_of_it() -> None:
    """By the GB; other clusters by what crosses zones."""
    boot = ["boot-a1.c1.kafka-serverless.us-east-1.amazonaws.com:9098"]
    source = {"kafka": {"bootstrap_servers": boot, "topic": "orders", "auth": {"iam": {}}}}
    (item,) = [
        item for item in plan(DAYS, source=source, sink=STREAM).bridge.items if item.what == "reading the source"
    ]
    assert item.rate == RATES.msk.serverless.out_gb
