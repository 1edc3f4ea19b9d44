"""One side read from places to ends, its partitions side by side, and parents before their children."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bridge.engine.bounded import BoundedSource
from bridge.engine.budget import ByteBudget
from bridge.engine.persistent import insist, read_on
from bridge.engine.retry import Backoff
from bridge.groups import together
from connectors.base import Batch, Clock, End, Partition, Place, Source

T = TypeVar("T")

_SIDE_BY_SIDE = 64


class Reader(Protocol):
    """Takes what is read. Calls come from the event loop, and those of one partition in its order."""

    def begin(self, partition: Partition) -> None:
        """It is read next; those of its parents that are read at all are read to their ends."""

    def take(self, batch: Batch) -> None:
        """The next records of a partition that has begun; there are some."""

    def end(self, partition: Partition, place: Place) -> None:
        """It is read, up to there."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What of a side is to be read."""

    partitions: tuple[Partition, ...]
    starts: Mapping[str, Place]
    """By partition; left out: its beginning."""
    ends: Mapping[str, End]
    """Of each of ``partitions``."""
    follows: bool = False
    """Whether children are read that turn up on the way, to the time at which all ends."""
    is_whole: bool = False
    """Whether it is all that the side holds."""


class Side:
    """A source, which its owner has entered, to be read as often as is asked for."""

    def __init__(self, source: Source, budget: ByteBudget, clock: Clock, backoff: Callable[[], Backoff]) -> None:
        self.source = source
        self.records = 0
        """Read so far, whatever for."""
        self._budget = budget
        self._clock = clock
        self._backoff = backoff

    async def listed(self) -> tuple[Partition, ...]:
        """The partitions that there are now."""
        async with aclosing(self.source.partitions()) as listings:
            return await anext(listings)

    async def read(self, extent: Extent, reader: Reader) -> frozenset[str]:
        """Hand all of ``extent`` to ``reader``, and tell which partitions are finished: nothing follows in them.

        Raises what reading raises; what may pass is tried again some times.
        """
        async with together() as tasks:
            course = _Course(self, extent, reader, tasks)
            await course.run()
        return frozenset(course.finished)

    async def batches(self, extent: Extent) -> AsyncGenerator[Batch, None]:
        """All of ``extent``, one of its partitions after the other. Raises as ``read``."""
        bounded = BoundedSource(self.source)
        bounded.bounds.update(extent.ends)
        for partition in extent.partitions:
            async with aclosing(self._read_on(bounded, partition, extent.starts.get(partition.id, Place()))) as batches:
                async for batch in batches:
                    self.records += len(batch)
                    yield batch
                    del batch

    async def insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """What ``call`` answers, tried again some times where it may pass. Raises what it raises."""
        return await insist(call, self._clock, self._backoff())

    def _read_on(self, bounded: BoundedSource, partition: Partition, place: Place) -> AsyncGenerator[Batch, None]:
        return read_on(bounded, partition, place, self._budget, self._clock, self._backoff())

    async def read_one(self, bounded: BoundedSource, partition: Partition, place: Place, reader: Reader) -> bool:
        """Hand ``partition`` to ``reader``, from ``place`` to its end. Whether it was finished for good before that."""
        reader.begin(partition)
        is_last = False
        async with aclosing(self._read_on(bounded, partition, place)) as batches:
            async for batch in batches:
                place, is_last = batch.place, batch.is_last
                self.records += len(batch)
                if len(batch):
                    reader.take(batch)
                # While the next one is awaited, nothing here may keep the memory of this one.
                del batch
        reader.end(partition, place)
        return not is_last


class _Course:
    """One reading of an extent."""

    def __init__(self, side: Side, extent: Extent, reader: Reader, tasks: asyncio.TaskGroup) -> None:
        self._side = side
        self._extent = extent
        self._reader = reader
        self._tasks = tasks
        self._bounded = BoundedSource(side.source)
        self._bounded.bounds.update(extent.ends)
        self._late_end = End(time_ms=max((end.time_ms or 0 for end in extent.ends.values()), default=None))
        self._read: dict[str, asyncio.Event] = {}
        self._parents = {parent for each in extent.partitions for parent in each.parents}
        """All that are known to have children."""
        self.finished: set[str] = set()
        """For good: each of them has children, listed or not yet."""
        self._enough = asyncio.Semaphore(_SIDE_BY_SIDE)
        self._over = asyncio.Event()

    async def run(self) -> None:
        self._begin(self._extent.partitions)
        watching = self._tasks.create_task(self._watch()) if self._extent.follows else None
        self._look()
        await self._over.wait()
        if watching is not None:
            watching.cancel()

    def _begin(self, partitions: Iterable[Partition]) -> None:
        new = [partition for partition in partitions if partition.id not in self._read]
        self._read |= {partition.id: asyncio.Event() for partition in new}
        for partition in new:
            self._tasks.create_task(self._one(partition), name=f"read {partition.id}")

    async def _one(self, partition: Partition) -> None:
        for parent in partition.parents:
            if parent in self._read:
                await self._read[parent].wait()
        async with self._enough:
            place = self._extent.starts.get(partition.id, Place())
            is_finished = await self._side.read_one(self._bounded, partition, place, self._reader)
        if is_finished:
            self.finished.add(partition.id)
        self._read[partition.id].set()
        self._look()

    async def _watch(self) -> None:
        """Begin what turns up: children alone, for only these may hold what belongs to the extent."""
        async with aclosing(self._side.source.partitions()) as listings:
            async for listing in listings:
                new = [each for each in listing if any(parent in self._read for parent in each.parents)]
                self._parents.update(parent for each in listing for parent in each.parents)
                self._bounded.bounds.update({each.id: self._late_end for each in new if each.id not in self._read})
                self._begin(new)
                self._look()

    def _look(self) -> None:
        """Whether all is read that there is."""
        is_complete = not self._extent.follows or self.finished <= self._parents
        if is_complete and all(event.is_set() for event in self._read.values()):
            self._over.set()
