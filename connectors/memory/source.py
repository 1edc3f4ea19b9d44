"""A stream in memory whose partitions can be split and merged, and the source that reads it."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from zlib import crc32

from connectors.base import (
    Batch,
    Budget,
    Clock,
    End,
    Partition,
    Place,
    Position,
    Record,
    Source,
)
from connectors.memory.faults import Faults

_HASHES = 1 << 16


@dataclass(slots=True)
class Shard:
    """One partition of a stream: the keys whose hash lies from ``first`` to ``last``."""

    partition: Partition
    first: int
    last: int
    records: list[Record] = field(default_factory=list)
    closed: bool = False


class MemoryStream:
    """Shards that cover all keys at any time. A record's position is its index in its shard."""

    def __init__(self, name: str, shards: int, clock: Clock) -> None:
        self.name = name
        self.shards: dict[str, Shard] = {}
        self._clock = clock
        bounds = [_HASHES * number // shards for number in range(shards + 1)]
        for first, following in pairwise(bounds):
            self._open((), first, following - 1)

    def put(self, key: bytes, value: bytes | None) -> Record:
        place = crc32(key) % _HASHES
        shard = next(each for each in self.open_shards() if each.first <= place <= each.last)
        record = Record(shard.partition.id, str(len(shard.records)), key, value, self._clock.now_ms())
        shard.records.append(record)
        return record

    def open_shards(self) -> list[Shard]:
        return [shard for shard in self.shards.values() if not shard.closed]

    def split(self, shard: Shard) -> None:
        """Close ``shard``; two children share its keys. A shard of one hash cannot be split."""
        middle = (shard.first + shard.last) // 2
        shard.closed = True
        self._open((shard.partition.id,), shard.first, middle)
        self._open((shard.partition.id,), middle + 1, shard.last)

    def merge(self, left: Shard, right: Shard) -> None:
        """Close two neighbours; one child takes the keys of both."""
        left.closed = right.closed = True
        self._open((left.partition.id, right.partition.id), left.first, right.last)

    def _open(self, parents: tuple[str, ...], first: int, last: int) -> None:
        partition = Partition(f"shard-{len(self.shards):04}", parents)
        self.shards[partition.id] = Shard(partition, first, last)


class MemorySource(Source):
    """Reads a ``MemoryStream`` from its beginning, ``chunk`` records at a time."""

    def __init__(self, stream: MemoryStream, clock: Clock, faults: Faults, *, chunk: int = 10) -> None:
        self._stream = stream
        self._clock = clock
        self._faults = faults
        self._chunk = chunk

    @property
    def identity(self) -> str:
        return f"{self._stream.name}@1"

    @property
    def address(self) -> str:
        return f"memory:{self._stream.name}"

    async def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        known = 0
        while True:
            shards = list(self._stream.shards.values())
            if len(shards) != known:
                known = len(shards)
                yield tuple(shard.partition for shard in shards)
            await self._clock.sleep(0.5)

    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        return {partition.id: Place() for partition in partitions}

    def rank(self, position: Position | None) -> tuple[int, ...]:
        return (-1 if position is None else int(position),)

    def just_before(self, position: Position) -> Place:
        return Place(str(int(position) - 1) if int(position) > 0 else None)

    async def ends(self, partitions: Sequence[Partition], until_ms: int | None) -> Mapping[str, End]:
        latest_ms = self._clock.now_ms() if until_ms is None else until_ms
        records = {partition.id: self._stream.shards[partition.id].records for partition in partitions}
        inside = {name: sum(record.timestamp_ms <= latest_ms for record in each) for name, each in records.items()}
        return {name: End(position=str(count - 1)) for name, count in inside.items()}

    async def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        shard = self._stream.shards[partition.id]
        following = 0 if after.position is None else int(after.position) + 1
        while True:
            await self._faults.before("read", partition.id)
            records = shard.records[following : following + self._chunk]
            if records:
                following += len(records)
                yield await self._batch(records, budget, behind=following < len(shard.records))
            elif shard.closed:
                return
            else:
                await self._clock.sleep(0.2)

    async def _batch(self, records: Sequence[Record], budget: Budget, *, behind: bool) -> Batch:
        size = sum(len(record.key or b"") + len(record.value or b"") for record in records)
        reservation = await budget.reserve(size)
        last = records[-1]
        return Batch(
            partition=last.partition,
            place=Place(last.position, last.timestamp_ms),
            positions=[record.position for record in records],
            keys=[record.key for record in records],
            values=[record.value for record in records],
            timestamps_ms=[record.timestamp_ms for record in records],
            headers=[record.headers for record in records] if any(record.headers for record in records) else None,
            size=size,
            lag_ms=max(1, self._clock.now_ms() - last.timestamp_ms) if behind else 0,
            reservation=reservation,
        )
