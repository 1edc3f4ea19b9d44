"""How much a load needs, and how long a copy of it takes."""

from dataclasses import replace

import pytest

from bridge.planning import kinesis, msk
from bridge.planning.backfill import Pace, backfill, writing
from bridge.planning.load import Aims, Load
from bridge.planning.reading import OwnReading
from bridge.planning.retention import retention_for
from bridge.planning.workers import workers_for
from tests.bridge.planning.orders import LOAD, RATES

FULL = Aims(headroom=0, growth=1)


@pytest.mark.parametrize(
    ("load", "shards"),
    [
        (Load(900, 100), 1),
        (Load(2_500, 100), 3),
        (Load(500, 5_000), 3),
        (Load(100, 5_000, readers=10), 3),
        (Load(100, 5_000, peak_factor=4), 2),
    ],
    ids=["one", "records", "bytes", "readers", "peak"],
)
def test_a_stream_has_shards_for_whatever_fills_them_first(load: Load, shards: int) -> None:
    """1,000 records and 1 MB in, 2 MB out to all that poll, in the busiest minutes."""
    assert kinesis.shards_for(load, FULL) == shards


def test_headroom_stays_free_of_every_limit() -> None:
    """At a third, what is filled to the limit needs half as much again."""
    assert kinesis.shards_for(Load(2_000, 100), Aims(headroom=1 / 3)) == 3


def test_a_topic_has_partitions_for_what_it_grows_to() -> None:
    """As many as the source has, at least, and the same number on each of three brokers."""
    assert msk.partitions_for(Load(10_000, 1_000), replace(FULL, growth=3), 1) == 6
    assert msk.partitions_for(Load(1, 1_000), FULL, 16) == 18


def test_a_topic_has_partitions_for_all_who_read_it() -> None:
    """A partition gives twice what it takes: more than two readers need more of them, the mirror among them."""
    load = Load(10_000, 1_000, readers=4)
    assert msk.partitions_for(load, FULL, 1) == 6
    assert msk.partitions_for(load, FULL, 1, mirrors=2) == 6
    assert msk.partitions_for(load, FULL, 1, mirrors=3) == 9


def test_brokers_have_room_for_the_mirror_s_own_reading() -> None:
    """Beside two readers it is the third, which 2/3 of them would not carry; what crosses zones is its own bill."""
    load = Load(45_000, 1_000, readers=2)
    alone = msk.express(RATES.msk.express, RATES.transfer, load, msk.Room(FULL, 3))
    read = msk.express(RATES.msk.express, RATES.transfer, load, msk.Room(FULL, 3, mirrors=1))
    assert (alone.size, read.size) == ("3 express.m7g.large", "6 express.m7g.large")
    assert [item.cost for item in alone.items[1:]] == [item.cost for item in read.items[1:]]
    out = replace(LOAD, readers=26)
    assert not msk.serverless(RATES.msk.serverless, out, msk.Room(FULL, 3)).obstacle
    assert msk.serverless(RATES.msk.serverless, out, msk.Room(FULL, 3, mirrors=1)).obstacle


def test_brokers_are_the_cheapest_that_take_load_and_partitions() -> None:
    """The same number in each zone; where none takes them that is said, and not priced as if."""
    few = msk.standard(RATES.msk.standard, RATES.transfer, Load(1_000, 1_000), msk.Room(Aims(), 12))
    assert few.size == "3 kafka.m7g.large"
    many = msk.standard(RATES.msk.standard, RATES.transfer, Load(1_000, 1_000), msk.Room(Aims(), 4_000))
    assert many.size == "12 kafka.m7g.large"
    none = msk.standard(RATES.msk.standard, RATES.transfer, Load(10_000_000, 1_000), msk.Room(Aims(), 12))
    assert (none.items, bool(none.obstacle)) == ((), True)


def test_serverless_says_when_it_does_not_do() -> None:
    """Its quotas are of a cluster."""
    assert not msk.serverless(RATES.msk.serverless, LOAD, msk.Room(Aims(), 24)).obstacle
    assert "200 MB/s" in msk.serverless(RATES.msk.serverless, LOAD.times(20), msk.Room(Aims(), 24)).obstacle
    assert "partitions" in msk.serverless(RATES.msk.serverless, LOAD, msk.Room(Aims(), 3_000)).obstacle


def test_workers_are_two_where_one_may_be_away_and_one_where_the_work_is_not_shared() -> None:
    """And where one is not enough, it is said what stands in the way."""
    cpu_us = 9.8
    assert workers_for(Load(1_000, 1_000), Aims(), cpu_us, 4, shared=True).count == 2
    busy = Load(500_000, 1_000)
    assert workers_for(busy, Aims(), cpu_us, 100, shared=True).count == 7
    assert "4 partitions" in workers_for(busy, Aims(), cpu_us, 4, shared=True).obstacle
    assert "one worker" in workers_for(busy, Aims(), cpu_us, 100, shared=False).obstacle


ALONE = Load(1_000, 1_000, readers=0)


def test_a_copy_takes_as_long_as_the_slower_end_and_what_goes_on_coming_in_make_it() -> None:
    """80 % of two shards' 4 MB/s are 3.2, of which 1 is needed to stay abreast."""
    copying = backfill(2.2e6 * 3600, ALONE, OwnReading("kinesis", 2).pace(ALONE), writing("kafka", 4, ALONE, ALONE))
    assert (copying.hours, copying.pace.by) == (1, "80% of the read limit of 2 shards")
    into = backfill(1e9, ALONE, OwnReading("kafka", 4).pace(ALONE), writing("kinesis", 3, ALONE, ALONE))
    assert into.pace.by == "1 MB/s into each of 3 shards"


def test_a_copy_leaves_a_shard_s_other_readers_what_they_read() -> None:
    """Two of them take 2 of 4 MB/s; small records are bounded by calls, of which a job makes four a second."""
    shards = OwnReading("kinesis", 2)
    busy = shards.pace(replace(ALONE, readers=2))
    assert (busy.bytes_per_second, busy.by) == (2e6, "what 2 readers beside it leave of 2 shards")
    tiny = shards.pace(Load(10_000, 20, readers=0))
    assert tiny.bytes_per_second == 2 * 4 * 10_000 * 20
    assert "of five reads a second" in tiny.by


def test_a_stream_takes_a_copy_by_bytes_or_by_records_whichever_is_less() -> None:
    """What the mirror writes beside a record takes its part of the bytes."""
    assert writing("kinesis", 2, Load(1, 100), Load(1, 100)) == Pace(200_000, "1,000 records/s into each of 2 shards")
    assert writing("kinesis", 2, Load(1, 1_000), Load(1, 1_250)).bytes_per_second == 1.6e6
    assert writing("kafka", 2, Load(1, 1_000), Load(1, 1_250)).bytes_per_second == 8e6


def test_a_copy_that_never_catches_up_is_named() -> None:
    """And then no retention is long enough but the longest."""
    load = Load(2_000, 1_000, readers=0)
    copying = backfill(1e9, load, OwnReading("kinesis", 1, read_share=0.5).pace(load))
    assert copying.hours is None
    assert retention_for(copying, 24, None).source == 8_760


def test_a_source_keeps_records_for_the_copy_and_a_weekend() -> None:
    """In whole days; the sink at least as long as the source does."""
    copying = backfill(1e6 * 3600 * 10, Load(1, 1), Pace(1e6, "a shard"))
    kept = retention_for(copying, 24, None)
    assert (kept.source, kept.sink, kept.source_is_enough) == (96, 96, False)
    assert retention_for(copying, 168, 24).sink == 168
    assert not retention_for(copying, 168, 24).sink_is_enough


def test_a_mirror_that_fans_out_has_each_shard_for_itself_and_pays_for_that() -> None:
    """By the hour and by what it reads; an on-demand stream's by what it reads alone."""
    fanning = OwnReading("kinesis", 4, fans_out=True)
    assert fanning.pace(LOAD).bytes_per_second == 8_000_000
    assert {item.what for item in fanning.items(RATES, LOAD)} == {"its consumer", "reading the source"}
    (on_demand,) = replace(fanning, on_demand=True).items(RATES, LOAD)
    assert on_demand.rate == RATES.kinesis.on_demand.fan_out_gb
    assert list(OwnReading("kinesis", 4).items(RATES, LOAD)) == []
