"""A source that hands out the batches it was given, and what came of them."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from bridge.engine.budget import ByteBudget
from connectors.base import Batch, Budget, Clock, Partition, Place, Source
from connectors.memory.faults import Faults
from connectors.memory.source import MemorySource, MemoryStream
from connectors.wrapped import WrappedSource
from tests.simulation.virtual_time import VirtualClock

BUDGET = 2**40


def batch(partition: str, times_ms: Sequence[int], *, first: int = 0, size: int = 10) -> Batch:
    """Records at ``times_ms``, each of ``size`` bytes, their positions counted from ``first`` on."""
    positions = [str(first + number) for number in range(len(times_ms))]
    return Batch(
        partition,
        Place(positions[-1] if positions else None, max(times_ms, default=None)),
        positions,
        [b"k"] * len(positions),
        [bytes(size - 1)] * len(positions),
        times_ms,
        size=size * len(positions),
    )


class ScriptedSource(WrappedSource):
    """Gives each partition its batches, all at once, and ends."""

    def __init__(self, script: dict[str, list[Batch]], clock: Clock) -> None:
        super().__init__(MemorySource(MemoryStream("script", 1, clock), clock, Faults()))
        self._script = script

    async def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        for each in self._script[partition.id]:
            yield replace(each, reservation=await budget.reserve(each.size))


@dataclass
class Read:
    """What came of a source, and when, in seconds."""

    batches: list[tuple[float, Batch]] = field(default_factory=list)

    def count(self, since_s: float, until_s: float) -> int:
        return sum(len(batch) for at_s, batch in self.batches if since_s <= at_s < until_s)

    def bytes(self, since_s: float, until_s: float) -> int:
        return sum(batch.size for at_s, batch in self.batches if since_s <= at_s < until_s)

    @property
    def positions(self) -> list[str]:
        return [position for _, batch in self.batches for position in batch.positions]


async def read(source: Source, partition: str, clock: VirtualClock, into: Read, budget: ByteBudget) -> None:
    """All of ``partition`` into ``into``, each batch released as soon as it came."""
    async with aclosing(source.read(Partition(partition), Place(), budget)) as batches:
        async for each in batches:
            into.batches.append((clock.monotonic(), each))
            each.release()
