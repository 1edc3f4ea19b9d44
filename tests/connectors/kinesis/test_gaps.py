"""Records that expired before they were read, and order that is lost, are told: never passed in silence."""

import asyncio

import pytest

from bridge.engine.budget import ByteBudget
from connectors.base import GapError, Partition, Place
from connectors.times import iso
from tests.connectors.kinesis.fake import FakeKinesis, opened
from tests.connectors.kinesis.reading import BUDGET, batches, cancelled, until_idle, values
from tests.simulation.virtual_time import VirtualClock, run

FIRST = "shardId-000000000000"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


def test_a_trimmed_checkpoint_is_a_gap_with_both_ends() -> None:
    """The records behind it have expired: the gap names the time it covers, and reading can go on at the oldest."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        read = fake.put(b"read", age_ms=30 * HOUR_MS)
        fake.put(b"lost", age_ms=29 * HOUR_MS)
        fake.put(b"there", age_ms=HOUR_MS)
        async with opened(fake, clock) as source:
            with pytest.raises(GapError) as gap:
                await values(source, FIRST, Place(str(read.sequence), read.arrival_ms), 1)
            assert gap.value.lost_from == iso(read.arrival_ms)
            assert gap.value.lost_to >= iso(clock.now_ms() - DAY_MS - 1_000)
            assert gap.value.resume is not None
            assert await values(source, FIRST, gap.value.resume, 1) == [b"there"]

    run(main)


def test_an_old_checkpoint_whose_record_is_still_there_is_no_gap() -> None:
    """Servers trim late: while the last record read can be read again, nothing behind it is lost."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.retention_hours = 48
        read = fake.put(b"read", age_ms=30 * HOUR_MS)
        fake.put(b"next", age_ms=29 * HOUR_MS)
        fake.extra_summary["RetentionPeriodHours"] = 24
        async with opened(fake, clock) as source:
            assert await values(source, FIRST, Place(str(read.sequence), read.arrival_ms), 1) == [b"next"]

    run(main)


def test_an_old_position_on_an_idle_shard_is_no_gap() -> None:
    """A watermark that moved on an idle shard proves that nothing was missed, however old the last record is."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        old = fake.put(b"old", age_ms=100 * HOUR_MS)
        fake.put(b"new")
        async with opened(fake, clock) as source:
            after = Place(str(old.sequence), clock.now_ms() - HOUR_MS)
            assert await values(source, FIRST, after, 1) == [b"new"]

    run(main)


@pytest.mark.parametrize("position", [None, "2026-01-01T00:00:00.000Z"])
def test_a_lane_that_never_saw_a_record_is_a_gap_after_the_retention(position: str | None) -> None:
    """An idle shard whose mirror was down for longer than records live may have had records meanwhile."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        async with opened(fake, clock) as source:
            with pytest.raises(GapError):
                await until_idle(source, FIRST, Place(position, clock.now_ms() - 25 * HOUR_MS))

    run(main)


def test_a_stream_younger_than_the_position_has_no_gap() -> None:
    """Nothing can have expired before the stream existed."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.created_s = clock.now_ms() / 1000 - 60
        fake.put(b"first")
        async with opened(fake, clock) as source:
            moment = clock.now_ms() - 100 * HOUR_MS
            assert await values(source, FIRST, Place(iso(moment), moment), 1) == [b"first"]

    run(main)


def test_the_beginning_of_a_stream_is_no_gap() -> None:
    """Reading from the oldest record on never finds anything missing, also when that is about to expire."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        for number in range(1_000):
            fake.put(b"%d" % number, age_ms=DAY_MS - 500 - number)
        async with opened(fake, clock) as source:
            assert len(await values(source, FIRST, Place(), 500)) > 0

    run(main)


def test_a_lane_that_falls_behind_the_retention_in_mid_run_is_a_gap() -> None:
    """A consumer that stalls until the records behind its place have expired is told."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.put(b"one")
        async with opened(fake, clock) as source:
            reading = source.read(Partition(FIRST), Place(), ByteBudget(BUDGET))
            assert len(await anext(reading)) == 1
            fake.put(b"two")
            await clock.sleep(25 * 3_600)
            with pytest.raises(GapError):
                await anext(reading)

    run(main)


def test_a_position_inside_a_record_that_is_gone_is_a_gap() -> None:
    """The rest of an aggregate that cannot be read again is lost, whatever the clock says."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.put(b"other")
        async with opened(fake, clock) as source:
            with pytest.raises(GapError):
                await values(source, FIRST, Place("17#3", clock.now_ms()), 1)

    run(main)


def test_automatic_distribution_stops_each_lane_once() -> None:
    """Without an order of keys a lane stops by name, and goes on when it is read from the place that was offered."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.extra_summary["RecordDistributionStrategy"] = "AUTO"
        fake.put(b"one", key=None)
        async with opened(fake, clock) as source:
            with pytest.raises(GapError, match="AUTO") as gap:
                await values(source, FIRST, Place(), 1)
            assert gap.value.resume is not None
            [batch] = await batches(source, FIRST, gap.value.resume, 1)
        assert batch.values == [b"one"]
        assert batch.keys == [None]

    run(main)


def test_automatic_distribution_is_noticed_in_mid_run() -> None:
    """A stream that is switched over stops its lanes about a minute later, behind all that was handed out."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        last = fake.put(b"one")
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 2))
            await clock.sleep(5)
            fake.extra_summary["RecordDistributionStrategy"] = "AUTO"
            with pytest.raises(GapError, match="AUTO") as gap:
                await reading
            assert clock.monotonic() < 70
            assert gap.value.resume is not None
            assert gap.value.resume.position == str(last.sequence)
            going_on = asyncio.ensure_future(values(source, FIRST, gap.value.resume, 1))
            await clock.sleep(200)
            assert not going_on.done()
            await cancelled(going_on)

    run(main)
