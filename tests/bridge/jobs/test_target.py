"""A target that would not keep what is copied is found out before the first record."""

from contextlib import nullcontext
from random import Random

import pytest

from bridge.jobs.restamped import RestampedSource
from bridge.jobs.target import check_target, oldest_record_ms
from connectors.base import Partition, Place, SettingsError
from connectors.memory import Faults, MemorySink, MemorySource, MemoryStream, MemoryTopic
from tests.simulation.virtual_time import VirtualClock, run


class _Keeper(MemorySink):
    """Keeps nothing that is older than a time."""

    oldest_ms = 0

    def too_old_for(self, oldest_ms: int) -> str:
        return f"retention.ms={self.oldest_ms}, needs more" if oldest_ms < self.oldest_ms else ""


async def _filled(clock: VirtualClock) -> tuple[MemorySource, dict[Partition, Place], int]:
    """A source that was written to for a while and split meanwhile; and when it was begun."""
    began_ms = clock.now_ms()
    stream = MemoryStream("orders", 2, clock)
    for number in range(10):
        stream.put(b"key-%d" % number, b"value")
        await clock.sleep(60)
    stream.split(stream.open_shards()[0])
    for number in range(10):
        stream.put(b"key-%d" % number, b"value")
    starts = {shard.partition: Place() for shard in stream.shards.values()}
    return MemorySource(stream, clock, Faults()), starts, began_ms


def test_the_oldest_record_is_that_of_the_partitions_that_begin() -> None:
    """Children hold nothing older than their parents."""

    async def main(clock: VirtualClock) -> None:
        source, starts, began_ms = await _filled(clock)
        assert await oldest_record_ms(source, starts) == began_ms

    run(main)


def test_nothing_is_known_of_a_source_without_records() -> None:
    """An idle partition is not waited for without end."""

    async def main(clock: VirtualClock) -> None:
        stream = MemoryStream("orders", 2, clock)
        starts = {shard.partition: Place() for shard in stream.shards.values()}
        assert await oldest_record_ms(MemorySource(stream, clock, Faults()), starts) is None

    run(main)


@pytest.mark.parametrize(("late_ms", "passes"), [(0, True), (1, False)])
def test_what_the_target_would_not_keep_is_refused_with_the_way_around_it(late_ms: int, *, passes: bool) -> None:
    """By the name of the setting, and with its value."""

    async def main(clock: VirtualClock) -> None:
        source, starts, began_ms = await _filled(clock)
        sink = _Keeper(MemoryTopic("orders", 1), Faults(), Random(1))
        sink.oldest_ms = began_ms + late_ms
        with nullcontext() if passes else pytest.raises(SettingsError, match=r"retention\.ms.*--timestamps now"):
            await check_target(source, sink, starts)

    run(main)


def test_restamped_records_have_the_time_of_copying_and_keep_that_of_their_arrival() -> None:
    """Lag and latency go by the latter."""

    async def main(clock: VirtualClock) -> None:
        source, starts, began_ms = await _filled(clock)
        await clock.sleep(3_600)
        first = next(iter(starts))
        async for batch in RestampedSource(source, clock).read(first, Place(), _Boundless()):
            assert set(batch.timestamps_ms) == {clock.now_ms()}
            assert began_ms <= batch.arrived_ms[0] < clock.now_ms() - 3_000_000
            break

    run(main)


class _Boundless:
    async def reserve(self, size: int) -> "_Boundless":
        return self

    def resize(self, size: int) -> None:
        """Nothing is counted."""

    def release(self) -> None:
        """Nothing is counted."""
