"""A shard's limits are kept without being told by the server."""

import asyncio
from itertools import pairwise

import pytest

from bridge.engine.budget import ByteBudget
from connectors.base import Partition, Place
from tests.connectors.kinesis.fake import FakeKinesis, opened
from tests.connectors.kinesis.reading import batches, cancelled
from tests.simulation.virtual_time import VirtualClock, run

FIRST = "shardId-000000000000"
MB = 1_000_000


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_shard_is_read_at_most_five_times_a_second(share: float) -> None:
    """No second holds more reads than the share of the limit, however many small records wait."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        for number in range(30_000):
            fake.put(b"%d" % number)
        async with opened(fake, clock, read_share=share) as source:
            reading = asyncio.ensure_future(batches(source, FIRST, Place(), 30_000))
            await clock.sleep(20)
            times = fake.times("GetRecords")
            await cancelled(reading)
        assert all(sum(1 for at in times if start <= at < start + 1) <= 5 * share + 0.5 for start in times)

    run(main)


def test_waiting_for_the_budget_earns_no_extra_reads() -> None:
    """Reads that the budget held back are not made up for by a burst."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        for number in range(3_000):
            fake.put(b"%d" % number)
        budget = ByteBudget(1)
        async with opened(fake, clock) as source:
            reading = source.read(Partition(FIRST), Place(), budget)
            read = 0
            async for batch in reading:
                read += len(batch)
                asyncio.get_running_loop().call_later(0.9, batch.release)
                if read == 3_000:
                    break
            await reading.aclose()
        assert all(following - at >= 0.2 for at, following in pairwise(fake.times("GetRecords")))

    run(main)


def test_a_shard_is_read_at_most_two_megabytes_a_second() -> None:
    """A backlog of 40 MB takes 20 seconds or a little less."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        for _ in range(40):
            fake.put(bytes(MB))
        async with opened(fake, clock) as source:
            await batches(source, FIRST, Place(), 40)
        assert 18 < clock.monotonic() < 22

    run(main)


@pytest.mark.parametrize("share", [0.3, 0.8, 1.0])
@pytest.mark.parametrize("size", [1_000, 100_000])
def test_a_share_of_the_bytes_is_kept(share: float, size: int) -> None:
    """A backlog is read at the share of 2 MB a second, within 5 % over ten seconds and more, from call to call."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        for _ in range(45 * MB // size):
            fake.put(bytes(size))
        came: list[tuple[float, int]] = []
        async with opened(fake, clock, read_share=share) as source:
            reading = source.read(Partition(FIRST), Place(), ByteBudget(2**30))
            while clock.monotonic() < 21:
                batch = await anext(reading)
                came.append((clock.monotonic(), batch.size))
                batch.release()
            await reading.aclose()
        known = [(at, size) for at, size in came if at > 4]
        rate = sum(size for _, size in known[:-1]) / (known[-1][0] - known[0][0])
        assert rate == pytest.approx(share * 2 * MB, rel=0.05)

    run(main)


def test_an_idle_shard_is_asked_once_per_poll_interval() -> None:
    """An idle shard costs a call per interval."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        async with opened(fake, clock, poll_interval_s=2.0) as source:
            reading = asyncio.ensure_future(batches(source, FIRST, Place(), 1))
            await clock.sleep(100)
            await cancelled(reading)
        assert 45 <= fake.count("GetRecords") <= 56

    run(main)


def test_a_shard_that_just_gave_records_is_asked_again_soon() -> None:
    """Records that follow closely do not wait for the interval of idle shards."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        async with opened(fake, clock, poll_interval_s=5.0) as source:
            fake.put(b"teaches the size")
            reading = asyncio.ensure_future(batches(source, FIRST, Place(), 2))
            await clock.sleep(0.1)
            fake.put(b"next")
            await reading
        assert clock.monotonic() < 1

    run(main)


def test_a_read_share_above_one_lifts_the_limits() -> None:
    """A server without limits is read as fast as it answers."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        for _ in range(40):
            fake.put(bytes(MB))
        async with opened(fake, clock, read_share=100.0) as source:
            await batches(source, FIRST, Place(), 40)
        assert clock.monotonic() < 1

    run(main)


def test_shards_do_not_poll_in_step() -> None:
    """The polls of idle shards drift apart instead of coming all at once."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock, shards=20)
        async with opened(fake, clock) as source:
            readings = [asyncio.ensure_future(batches(source, shard, Place(), 1)) for shard in fake.shards]
            await clock.sleep(30)
            for reading in readings:
                await cancelled(reading)
        times = sorted(at for at in fake.times("GetRecords") if at > 20)
        assert max(following - at for at, following in pairwise(times)) < 0.5

    run(main)
