"""The in-memory connectors keep the contracts that real ones keep."""

from collections.abc import AsyncIterator, Sequence
from random import Random

import pytest

from connectors.base import Clock, ConnectorError, Record, TransientError
from connectors.memory.faults import Faults
from connectors.memory.sink import MemorySink
from connectors.memory.source import MemorySource, MemoryStream
from connectors.memory.topic import MemoryTopic
from tests.contracts.sink import SinkContract, Target, batch, by_key, series
from tests.contracts.source import SplittingSourceContract, SplittingWorld


class MemoryWorld(SplittingWorld):
    def __init__(self) -> None:
        clock = Clock()
        self._stream = MemoryStream("orders", 2, clock)
        self.source = MemorySource(self._stream, clock, Faults(), chunk=3)

    async def put(self, key: bytes, value: bytes) -> None:
        self._stream.put(key, value)

    async def split(self, partition: str) -> None:
        self._stream.split(self._stream.shards[partition])


class TestMemorySource(SplittingSourceContract):
    @pytest.fixture
    async def world(self) -> AsyncIterator[SplittingWorld]:
        world = MemoryWorld()
        async with world.source:
            yield world


class MemoryTarget(Target):
    def __init__(self, faults: Faults) -> None:
        self._topic = MemoryTopic("orders", 3)
        self.sink = MemorySink(self._topic, faults, Random(1))

    async def written(self) -> Sequence[Record]:
        return [record for log in self._topic.partitions for record in log]


class TestMemorySink(SinkContract):
    @pytest.fixture
    async def target(self) -> AsyncIterator[Target]:
        target = MemoryTarget(Faults())
        async with target.sink:
            yield target


class FailsOnce(Faults):
    """The write numbered ``number`` fails, no other."""

    def __init__(self, number: int) -> None:
        self._left = number

    async def before(self, operation: str, target: str) -> None:
        if operation == "write":
            self._left -= 1
            if self._left == 0:
                raise TransientError(f"{operation} {target}", "a fault on request")


async def test_nothing_follows_a_broken_scope() -> None:
    """What is under way raises, later submissions raise, and what was written is a prefix of each lane."""
    target = MemoryTarget(FailsOnce(3))
    batches = [batch("lane", series("lane", 10, first), first=first) for first in range(0, 100, 10)]
    async with target.sink:
        scope = await target.sink.begin()
        answers = [scope.submit("lane", each) for each in batches]
        outcomes = [await _outcome(answer) for answer in answers]
        with pytest.raises(TransientError):
            await scope.submit("lane", batch("lane", series("lane", 1, 100), first=100))
    assert sum(outcomes) <= 2
    records = [record for each in batches for record in each.records()]
    written = await target.written()
    assert by_key(written) == by_key(records[: len(written)])


async def _outcome(answer: object) -> bool:
    try:
        await answer  # type: ignore[misc]
    except ConnectorError:
        return False
    return True
