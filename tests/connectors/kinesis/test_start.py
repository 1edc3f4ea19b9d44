"""Where a mirror without a checkpoint begins, and what the source says about the stream."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bridge.engine.budget import ByteBudget
from connectors.base import Partition, Place, RefusedError
from connectors.times import iso
from tests.connectors.kinesis.fake import ARN, FakeKinesis, opened
from tests.connectors.kinesis.reading import BUDGET, cancelled, until_idle, values
from tests.simulation.virtual_time import VirtualClock, run

FIRST = "shardId-000000000000"
SHARDS = [Partition(FIRST), Partition("shardId-000000000001", (FIRST,))]


def test_trim_horizon_is_the_beginning() -> None:
    """Nothing is pinned: each shard is read from its oldest record."""

    async def main(clock: VirtualClock) -> None:
        async with opened(FakeKinesis(clock), clock) as source:
            assert await source.start(SHARDS) == {each.id: Place() for each in SHARDS}

    run(main)


def test_latest_is_pinned_to_the_servers_time() -> None:
    """All shards begin at one moment that is past at the server, so a restart before the first record loses none."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.put(b"before", age_ms=5_000)
        async with opened(fake, clock, start="latest") as source:
            places = await source.start(SHARDS)
            now = clock.now_ms()
            await clock.sleep(3)
            fake.put(b"after")
            assert await values(source, FIRST, places[FIRST], 1) == [b"after"]
        [place] = set(places.values())
        assert place.watermark_ms is not None
        assert now - 2_000 <= place.watermark_ms <= now
        assert place.position == iso(place.watermark_ms)

    run(main)


def test_a_time_is_where_it_says() -> None:
    """The first record is the first one that arrived at that time or later."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.put(b"before", age_ms=10_001)
        fake.put(b"at", age_ms=10_000)
        moment = datetime.fromtimestamp((clock.now_ms() - 10_000) / 1000, UTC)
        async with opened(fake, clock, start=moment) as source:
            places = await source.start(SHARDS)
            assert await values(source, FIRST, places[FIRST], 1) == [b"at"]

    run(main)


def test_a_time_to_come_is_refused() -> None:
    """The server refuses it later and in worse words."""

    async def main(clock: VirtualClock) -> None:
        moment = datetime.fromtimestamp(clock.now_ms() / 1000, UTC) + timedelta(hours=1)
        async with opened(FakeKinesis(clock), clock, start=moment) as source:
            with pytest.raises(RefusedError, match="at the server"):
                await source.start(SHARDS)

    run(main)


def test_this_very_moment_is_no_time_to_come() -> None:
    """The server tells whole seconds, and it may be later than it says."""

    async def main(clock: VirtualClock) -> None:
        await clock.sleep((1_900 - clock.now_ms() % 1_000) / 1_000)
        now_ms = clock.now_ms()
        moment = datetime.fromtimestamp(now_ms / 1000, UTC)
        async with opened(FakeKinesis(clock), clock, start=moment) as source:
            assert (await source.start(SHARDS))[FIRST].position == iso(now_ms)

    run(main)


def test_the_stream_is_known_by_its_arn_and_creation() -> None:
    """Identity tells two streams of one name apart; the address is what provenance writes."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        async with opened(fake, clock) as source:
            assert source.address == "kinesis:eu-west-1:123456789012:orders"
            assert source.identity.startswith(f"{ARN}@20")
            before = source.identity
        fake.created_s += 1
        async with opened(fake, clock) as source:
            assert source.identity != before

    run(main)


def test_an_idle_shard_says_how_far_it_is_read() -> None:
    """Its watermark follows the server's clock from behind, and never passes a record that may still come."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        last = fake.put(b"one")
        async with opened(fake, clock) as source:
            caught_up = (await until_idle(source, FIRST, Place()))[-1]
        assert caught_up.place.position == str(last.sequence)
        assert caught_up.place.watermark_ms is not None
        assert last.arrival_ms <= caught_up.place.watermark_ms < clock.now_ms() - 1_000

    run(main)


def test_a_lag_keeps_the_watermark_where_it_is() -> None:
    """Empty reads that report a lag prove nothing."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.lag_ms = 5_000
        fake.put(b"one")
        async with opened(fake, clock) as source:
            reading = source.read(Partition(FIRST), Place(), ByteBudget(BUDGET))
            first = await anext(reading)
            assert first.lag_ms == 5_000
            more = asyncio.ensure_future(anext(reading))
            await clock.sleep(60)
            assert not more.done()
            await cancelled(more)
            await reading.aclose()

    run(main)


@pytest.mark.parametrize(("summary", "kib"), [({}, 1024), ({"MaxRecordSizeInKiB": 10_240}, 10_240)])
def test_the_largest_record_is_the_streams(summary: dict[str, int], kib: int) -> None:
    """Its data and the largest key; a server that tells no limit has the one that all streams had."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.extra_summary = dict(summary)
        async with opened(fake, clock) as source:
            assert source.largest_record == kib * 1024 + 1024

    run(main)
