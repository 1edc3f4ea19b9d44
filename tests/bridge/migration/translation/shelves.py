"""A stream and a topic that hold what they are given, to be searched."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.migration.log import Log
from connectors.base import Batch, Budget, Clock, End, Header, Partition, Place, Position, Source
from connectors.kinesis import position as kinesis

STREAM = "kinesis:eu-west-1:123456789012:orders"
TOPIC = "kafka:cluster:orders"
_CHUNK = 3


@dataclass(frozen=True, slots=True)
class Kept:
    """A record on a shelf. ``id`` is the same on both sides."""

    position: Position
    key: bytes | None
    id: int
    time_ms: int
    headers: tuple[Header, ...] = ()


class Shelf(Source):
    """One side."""

    def __init__(self, address: str, records: Mapping[Partition, Sequence[Kept]]) -> None:
        self._address = address
        self._partitions = tuple(records)
        self.records = {partition.id: list(kept) for partition, kept in records.items()}

    @property
    def identity(self) -> str:
        return self._address

    @property
    def address(self) -> str:
        return self._address

    async def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        yield self._partitions

    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        return {partition.id: Place() for partition in partitions}

    def rank(self, position: Position | None) -> tuple[int, ...]:
        return kinesis.rank(position)

    def just_before(self, position: Position) -> Place:
        return Place(kinesis.just_before(position))

    async def ends(self, partitions: Sequence[Partition], until_ms: int | None) -> Mapping[str, End]:
        return {
            each.id: End(position=self.records[each.id][-1].position) for each in partitions if self.records[each.id]
        } | {each.id: End(time_ms=0) for each in partitions if not self.records[each.id]}

    async def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        kept = self.records[partition.id]
        left = [each for each in kept if self.rank(each.position) > self.rank(after.position)]
        for start in range(0, len(left), _CHUNK):
            found = left[start : start + _CHUNK]
            yield Batch(
                partition.id,
                Place(found[-1].position),
                [each.position for each in found],
                [each.key for each in found],
                [str(each.id).encode() for each in found],
                [each.time_ms for each in found],
                [each.headers for each in found],
                reservation=await budget.reserve(0),
            )


class ShelfLog(Log):
    """A shelf as a search reads it. Times of a stream are arrivals; the first record of a time is found in either."""

    def __init__(self, shelf: Shelf) -> None:
        super().__init__(shelf, ByteBudget(1 << 20), Clock(), lambda: Backoff(Random()))
        self.shelf = shelf
        self.tells_arrivals = shelf.address == STREAM  # type: ignore[misc]

    @property
    def retention_ms(self) -> None:
        """Nothing expires unless the shelf says so."""

    async def at_time(self, partitions: Sequence[Partition], time_ms: int) -> Mapping[str, Place]:
        return {each.id: self._behind(self.shelf.records[each.id], time_ms) for each in partitions}

    def _behind(self, kept: Sequence[Kept], time_ms: int) -> Place:
        number = next((index for index, each in enumerate(kept) if each.time_ms >= time_ms), len(kept))
        return Place(kept[number - 1].position if number else None)
