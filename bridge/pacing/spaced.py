"""A source whose records come with the spacing of their own times."""

import asyncio
from collections.abc import Collection
from contextlib import aclosing

import structlog

from bridge.engine.budget import ByteBudget
from bridge.groups import together
from bridge.pacing.piecewise import PiecewiseSource
from bridge.pacing.remainder import Remainder
from connectors.base import Clock, Partition, Source

log = structlog.get_logger(__name__)

_LEAD_S = 1.0
"""Between the first record's reading and its turn: meanwhile the other partitions are opened."""
_TOGETHER_S = 0.01
"""Records that are due within this time pass together."""
_AT_ONCE = 32
_SAMPLE = 64 * 2**20
_WORTH_TELLING_S = 60.0


class SpacedSource(PiecewiseSource):
    """Hands on each record at its time, counted from the earliest one on, ``speed`` times as fast as it was.

    Of one partition the order is kept: a record that is older than one before it passes at once. Each partition holds
    one batch while it waits, so that the budget must have room for a batch of every partition.
    """

    def __init__(self, inner: Source, speed: float, clock: Clock) -> None:
        super().__init__(inner, clock)
        self._speed = speed
        self._earliest_ms = 0
        self._start_s: float | None = None

    async def find_earliest(self, partitions: Collection[Partition]) -> None:
        """Learn from where on times count: the first of ``partitions`` in its own time. Reads the first of each."""
        starts = await self.inner.start(tuple(partitions))
        enough, budget = asyncio.Semaphore(_AT_ONCE), ByteBudget(_SAMPLE)

        found: list[int] = []

        async def look(partition: Partition) -> None:
            async with enough, aclosing(self.inner.read(partition, starts[partition.id], budget)) as batches:
                async for batch in batches:
                    batch.release()
                    if len(batch):
                        found.append(min(batch.timestamps_ms))
                        return

        async with together() as tasks:
            for partition in partitions:
                tasks.create_task(look(partition), name=f"look at {partition.id}")
        self._earliest_ms = min(found, default=0)

    async def _turn(self, partition: Partition, rest: Remainder) -> int:
        await self._until_due(partition, rest.batch.timestamps_ms[rest.at])
        return self._due(rest)

    async def _until_due(self, partition: Partition, time_ms: int) -> None:
        wait_s = self._due_s(time_ms) - self._clock.monotonic()
        if wait_s > _WORTH_TELLING_S:
            log.info("waiting for the next record's time", partition=partition.id, seconds=round(wait_s))
        while wait_s > 0:
            await self._clock.sleep(wait_s)
            wait_s = self._due_s(time_ms) - self._clock.monotonic()

    def _due(self, rest: Remainder) -> int:
        """How many of the next records are due, at least the first."""
        now_s, times = self._clock.monotonic() + _TOGETHER_S, rest.batch.timestamps_ms
        end = rest.at + 1
        while end < len(times) and self._due_s(times[end]) <= now_s:
            end += 1
        return end - rest.at

    def _due_s(self, time_ms: int) -> float:
        if self._start_s is None:
            self._start_s = self._clock.monotonic() + _LEAD_S
        return self._start_s + (time_ms - self._earliest_ms) / 1000 / self._speed
