"""The sink that writes record by record keeps the contract of sinks, and remembers what landed ahead."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from random import Random

import pytest

from connectors.base import Clock, ConnectorError, Record, RefusedError
from connectors.memory.entries import EntryMemorySink, TimedTopic
from connectors.memory.faults import Faults
from connectors.provenance import stamp
from tests.contracts.sink import StreamingScopeContract, Target, batch, series

SOURCE = "memory:origin"


async def _nobody_was_away() -> None:
    """This worker is still who it was."""


class EntryTarget(Target):
    def __init__(self, faults: Faults) -> None:
        clock = Clock()
        self.topic = TimedTopic("orders", 3, clock)
        self.sink = EntryMemorySink(
            self.topic, clock, faults, Random(1), confirm=_nobody_was_away, away_s=60.0, refuses=lambda _: None
        )

    async def written(self) -> Sequence[Record]:
        return [record for log in self.topic.partitions for record in log]


class TestEntryMemorySink(StreamingScopeContract):
    @pytest.fixture
    async def target(self) -> AsyncIterator[Target]:
        target = EntryTarget(Faults())
        async with target.sink:
            yield target


class RefusesOnce(Faults):
    """The write numbered ``number`` is refused, no other."""

    def __init__(self, number: int) -> None:
        self._left = number

    async def before(self, operation: str, target: str) -> None:
        if operation == "write":
            self._left -= 1
            if self._left == 0:
                raise RefusedError("write", "no permission")


async def test_what_landed_ahead_of_a_refusal_is_not_written_again() -> None:
    """The batch raises, is submitted again as a whole, and each record is there once."""
    target = EntryTarget(RefusesOnce(4))
    async with target.sink as sink:
        sent = stamp(batch("lane", series("lane", 6), keys=6), SOURCE, sink.address)
        with pytest.raises(ConnectorError):
            await (await sink.begin()).submit("lane", sent)
        with pytest.raises(RefusedError):
            await sink.begin()
        async with asyncio.timeout(10):
            await (await sink.begin()).submit("lane", sent)
        assert {record.value for record in await target.written()} == set(series("lane", 6))
        assert len(await target.written()) == 6


async def test_what_landed_is_found_by_its_origin_and_time() -> None:
    """All since the time that is asked for, of the partitions that are asked for."""
    target = EntryTarget(Faults())
    async with target.sink as sink:
        for lane in ("a", "b"):
            await (await sink.begin()).submit(lane, stamp(batch(lane, series(lane, 3)), SOURCE, sink.address))
        found = await sink.landed(SOURCE, {"a": 0})
        assert {lane: sorted(positions) for lane, positions in found.items()} == {"a": ["0", "1", "2"]}
        assert not await sink.landed("memory:other", {"a": 0})
        assert not await sink.landed(SOURCE, {"a": (sink.now_ms() or 0) + 60_000})
