"""An end in memory whose sink can be held, broken and away, and which a crash of its writer does not touch."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from datetime import datetime
from random import Random
from types import TracebackType
from typing import Self

from bridge.migration.dual_write import Target
from connectors import dual_write_id
from connectors.base import (
    Batch,
    Clock,
    GapError,
    Observer,
    Outcome,
    Partition,
    Place,
    Record,
    RefusedError,
    Rejected,
    Save,
    Scope,
    Sink,
    Source,
    TransientError,
    UnreachableError,
)
from connectors.memory.faults import Faults
from connectors.memory.source import MemorySource, MemoryStream

Event = str
"""``write`` before a batch is written, ``written`` before that is answered, ``answered`` behind it."""


class MemoryEnd(Target):
    """What is written here is read back by its own source."""

    def __init__(self, name: str, *, carries_ids: bool = True) -> None:
        self.name = name
        self.stream = MemoryStream(name, 2, Clock())
        self.is_away = False
        """Whether its sink cannot be entered."""
        self.open = asyncio.Event()
        """While it is not set, nothing is written."""
        self.open.set()
        self.answers = asyncio.Event()
        """While it is not set, nothing is answered."""
        self.answers.set()
        self.breaks = 0
        """So many of the next batches are written in part, and then the scope breaks."""
        self.refuses: Callable[[Record], str | None] = lambda _: None
        self.hear: Callable[[Event], None] = lambda _: None
        self.refusal: RefusedError | None = None
        """Raised instead of beginning."""
        self.has_expired = False
        """Whether its records begin later than anybody asks for."""
        self.is_by_arrival = False
        """Whether its source says that it goes by arrival."""
        self.looked_from: list[datetime | None] = []
        """From when on it was read, of each look."""
        self.batches = 0
        self._carries_ids = carries_ids

    @property
    def label(self) -> str:
        return f"memory:{self.name}"

    @property
    def carries_ids(self) -> bool:
        return self._carries_ids

    @property
    def is_read_by_arrival(self) -> bool:
        return self.is_by_arrival

    @property
    def records(self) -> list[Record]:
        return [record for shard in self.stream.shards.values() for record in shard.records]

    def numbers_by_key(self) -> dict[bytes | None, list[int]]:
        """Each key's numbers, in order."""
        found: dict[bytes | None, list[int]] = {}
        for record in self.records:
            named = dual_write_id.of(record.headers)
            assert named is not None
            found.setdefault(record.key, []).append(named[1])
        return found

    def values_by_key(self) -> dict[bytes | None, list[bytes | None]]:
        found: dict[bytes | None, list[bytes | None]] = {}
        for record in self.records:
            found.setdefault(record.key, []).append(record.value)
        return found

    def copy(self) -> "MemoryEnd":
        """As it is now, with nothing held."""
        other = MemoryEnd(self.name, carries_ids=self._carries_ids)
        other.stream.shards = deepcopy(self.stream.shards)
        return other

    def append(self, record: Record) -> str:
        written = self.stream.put(record.key or b"", record.value)
        shard = self.stream.shards[written.partition].records
        shard[-1] = Record(
            written.partition, written.position, record.key, record.value, record.timestamp_ms, record.headers
        )
        return f"{written.partition}/{written.position}"

    def sink(self, clock: Clock, random: Random, observer: Observer) -> Sink:
        return _Sink(self)

    def source(self, since: datetime | None, clock: Clock, random: Random, observer: Observer) -> Source:
        self.looked_from.append(since)
        if since is not None and self.has_expired:
            return _Expired(self.stream, clock, Faults())
        return MemorySource(self.stream, clock, Faults(), chunk=100)


class _Expired(MemorySource):
    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        raise GapError("read", "records have expired", lost_from="then", lost_to="now", resume=Place())


class _Sink(Sink):
    def __init__(self, end: MemoryEnd) -> None:
        self._end = end
        self._waiting: list[tuple[Batch, asyncio.Future[Outcome]]] = []
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._end.is_away:
            raise UnreachableError(f"open {self._end.label}", "it is away")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    @property
    def identity(self) -> str:
        return self._end.label

    @property
    def address(self) -> str:
        return self._end.label

    async def begin(self) -> Scope:
        if self._end.refusal is not None:
            raise self._end.refusal
        if self._task is None or self._task.done():
            self._waiting.clear()
            self._task = asyncio.create_task(self._write())
        return _Scope(self)

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        reasons = [self._end.refuses(record) for record in batch.records()]
        return tuple(Rejected(index, reason, reason) for index, reason in enumerate(reasons) if reason)

    def submit(self, batch: Batch) -> asyncio.Future[Outcome]:
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((batch, answer))
        self._work.set()
        return answer

    async def _write(self) -> None:
        while True:
            while not self._waiting:
                self._work.clear()
                await self._work.wait()
            batch, answer = self._waiting[0]
            self._end.batches += 1
            self._end.hear("write")
            await self._end.open.wait()
            if self._end.breaks:
                self._end.breaks -= 1
                self._break(batch)
                return
            places = [self._end.append(record) for record in batch.records()]
            self._end.hear("written")
            await self._end.answers.wait()
            self._waiting.pop(0)
            answer.set_result(Outcome(places=places))
            self._end.hear("answered")

    def _break(self, batch: Batch) -> None:
        """The first half of ``batch`` is written, and nobody is told."""
        for index in range(len(batch) // 2):
            self._end.append(batch.record(index))
        for _, answer in self._waiting:
            answer.set_exception(TransientError(f"write to {self._end.label}", "it broke"))


class _Scope(Scope):
    def __init__(self, sink: _Sink) -> None:
        self._sink = sink

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        return self._sink.submit(batch)

    async def commit(self, save: Save) -> None:
        await save({})
