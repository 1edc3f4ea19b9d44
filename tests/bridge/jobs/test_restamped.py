"""Records with the time of their writing, through a sink that otherwise is the one it was."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from random import Random

import pytest

from bridge.jobs.restamped import RestampedSink
from connectors.base import Clock, Connector, Record, Rejected, Scope, Setting, Sink
from connectors.memory.faults import Faults
from connectors.memory.sink import MemorySink
from connectors.memory.topic import MemoryTopic
from tests.contracts.sink import SinkContract, Target, batch, deliver, series

_NOW_MS = 1_795_000_000_000


class _StillClock(Clock):
    def now_ms(self) -> int:
        return _NOW_MS


class _RestampedTarget(Target):
    """``written`` gives the times back as they were, so that everything else can be compared."""

    def __init__(self) -> None:
        self._topic = MemoryTopic("orders", 3)
        self.sink = RestampedSink(MemorySink(self._topic, Faults(), Random(1)), _StillClock())
        self.times: set[int] = set()

    async def written(self) -> Sequence[Record]:
        records = [record for log in self._topic.partitions for record in log]
        self.times = {record.timestamp_ms for record in records}
        first_ms = batch("lane", series("lane", 1)).timestamps_ms[0]
        return [replace(record, timestamp_ms=first_ms + int(record.position)) for record in records]


class TestRestampedSink(SinkContract):
    @pytest.fixture
    async def target(self) -> AsyncIterator[Target]:
        target = _RestampedTarget()
        async with target.sink:
            yield target
        assert target.times <= {_NOW_MS}


async def test_records_get_the_time_of_writing_and_their_batch_keeps_its_own() -> None:
    """Lag and latency count from the arrival, and what is remembered of a record names it by its own time."""
    target, sent = _RestampedTarget(), batch("lane", series("lane", 5))
    async with target.sink:
        await deliver(target.sink, sent)
    await target.written()
    assert target.times == {_NOW_MS}
    assert sent == batch("lane", series("lane", 5))


class _Particular(MemorySink):
    """Takes no record that is not of this moment, and none if there are more than ten bytes."""

    def inspect(self, batch: object) -> tuple[Rejected, ...]:
        times = getattr(batch, "timestamps_ms", ())
        return tuple(Rejected(index, "old", "") for index, time in enumerate(times) if time != _NOW_MS)

    def age_limits(self) -> tuple[Setting, ...]:
        return (Setting("topic orders", "retention.ms", 1),)

    def volume_limits(self) -> tuple[Setting, ...]:
        return (Setting("topic orders", "retention.bytes", 10),)


def test_limits_of_age_are_lifted_and_those_of_volume_stay() -> None:
    """What is refused for its age alone is taken."""
    sink = _Particular(MemoryTopic("orders", 1), Faults(), Random(1))
    restamped = RestampedSink(sink, _StillClock())
    sent = batch("lane", series("lane", 2))
    assert len(sink.inspect(sent)) == 2
    assert restamped.inspect(sent) == ()
    assert restamped.age_limits() == ()
    assert restamped.volume_limits() == sink.volume_limits()


async def test_all_that_a_sink_and_its_scopes_are_asked_is_asked_of_the_ones_within() -> None:
    """What the contracts answer for those who do not, as that there is no dead letter, is never said for them."""
    restamped = RestampedSink(MemorySink(MemoryTopic("orders", 1), Faults(), Random(1)), _StillClock())
    async with restamped:
        scope = await restamped.begin()
    assert _asked(Connector, Sink) - vars(RestampedSink).keys() == set()
    assert _asked(Scope) - vars(type(scope)).keys() == set()


def _asked(*contracts: type) -> set[str]:
    return {name for contract in contracts for name in vars(contract) if not name.startswith("_")}
