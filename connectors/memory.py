"""A source and a sink that live in memory, with the guarantees of real ones and faults on request.

They serve tests, simulations and people who want to try a mirror without any server. A ``MemoryStream`` has partitions
that can be split and merged like Kinesis shards; a ``MemoryTopic`` has a fixed number of partitions like a Kafka topic.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from types import TracebackType
from zlib import crc32

from connectors.base import (
    Batch,
    Budget,
    Clock,
    ConnectorError,
    End,
    Outcome,
    Partition,
    Place,
    Position,
    Record,
    Rejected,
    Save,
    Scope,
    Sink,
    Source,
    TransientError,
)

_HASHES = 1 << 16


class Faults:
    """Asked before each operation; may wait, or raise a ``ConnectorError``. This one lets everything pass."""

    async def before(self, operation: str, target: str) -> None:
        """``operation`` is ``read``, ``write`` or ``begin``; ``target`` a partition or lane, empty for ``begin``.

        Of a transaction there are also ``prepare``, before a group's generation is asked, ``commit``, before the commit
        is sent, and ``committed``, before it is answered.
        """


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


class MemoryTopic:
    """Partitions as lists of what was written, in order. Outlives the sinks that write to it."""

    def __init__(self, name: str, partitions: int) -> None:
        self.name = name
        self.partitions: list[list[Record]] = [[] for _ in range(partitions)]

    def append(self, record: Record) -> None:
        self.partitions[crc32(record.key or b"") % len(self.partitions)].append(record)


@dataclass(slots=True)
class _Submission:
    batch: Batch
    answer: asyncio.Future[Outcome]
    delivered: int = 0


class MemorySink(Sink):
    """Writes lanes side by side, each in order, and answers in any order.

    A fault before a write breaks the scope: of what each lane has under way a random part, from its front, is written.
    The same happens to what is under way when the sink is left. ``refuses`` names the reason for records that the sink
    can never take; it knows them on ``inspect``.
    """

    def __init__(
        self,
        topic: MemoryTopic,
        faults: Faults,
        random: Random,
        *,
        refuses: Callable[[Record], str | None] | None = None,
    ) -> None:
        self._topic = topic
        self._faults = faults
        self._random = random
        self._refuses = refuses
        self._under_way: dict[str, deque[_Submission]] = {}
        self._writers: dict[str, asyncio.Task[None]] = {}
        self.generation = 0

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        writers = list(self._writers.values())
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
        self._abandon()

    @property
    def identity(self) -> str:
        return f"{self._topic.name}@1"

    @property
    def address(self) -> str:
        return f"memory:{self._topic.name}"

    async def begin(self) -> Scope:
        await self._faults.before("begin", "")
        return MemoryScope(self)

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        if self._refuses is None:
            return ()
        reasons = ((index, self._refuses(record)) for index, record in enumerate(batch.records()))
        return tuple(Rejected(index, reason, f"refused: {reason}") for index, reason in reasons if reason)

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        submission = _Submission(batch, asyncio.get_running_loop().create_future())
        self._under_way.setdefault(lane, deque()).append(submission)
        if lane not in self._writers:
            self._writers[lane] = asyncio.create_task(self._write(lane), name=f"memory sink {lane}")
        return submission.answer

    async def _write(self, lane: str) -> None:
        """Write what is under way, oldest first. Ends when nothing is left, or the scope breaks."""
        waiting = self._under_way[lane]
        answered = 0
        try:
            while answered < len(waiting):
                submission = waiting[answered]
                await self._faults.before("write", lane)
                self._deliver(submission, len(submission.batch))
                answered += 1
                if answered == len(waiting) or self._random.random() < 0.5:
                    answered -= self._answer(waiting)
        except ConnectorError as error:
            self._break(error)
        finally:
            if self._writers.get(lane) is asyncio.current_task():
                del self._writers[lane]

    def _answer(self, waiting: deque[_Submission]) -> int:
        """Answer what is written of a lane, latest first; how many that were."""
        done = [submission for submission in waiting if submission.delivered == len(submission.batch)]
        for submission in reversed(done):
            if not submission.answer.done():
                submission.answer.set_result(Outcome())
        for _ in done:
            waiting.popleft()
        return len(done)

    def _deliver(self, submission: _Submission, until: int) -> None:
        for index in range(submission.delivered, until):
            self._topic.append(submission.batch.record(index))
        submission.delivered = until

    def _break(self, error: ConnectorError) -> None:
        self.generation += 1
        current = asyncio.current_task()
        for writer in self._writers.values():
            if writer is not current:
                writer.cancel()
        self._writers.clear()
        for submission in self._abandon():
            if not submission.answer.done():
                submission.answer.set_exception(error)

    def _abandon(self) -> list[_Submission]:
        """Write a random part of what is under way, from each lane's front, and forget the rest."""
        abandoned: list[_Submission] = []
        for waiting in self._under_way.values():
            left = self._random.randint(0, sum(len(each.batch) - each.delivered for each in waiting))
            for submission in waiting:
                part = min(left, len(submission.batch) - submission.delivered)
                self._deliver(submission, submission.delivered + part)
                left -= part
            abandoned.extend(waiting)
        self._under_way.clear()
        return abandoned


class MemoryScope(Scope):
    """Bound to the sink as it was between two breaks."""

    def __init__(self, sink: MemorySink) -> None:
        self._sink = sink
        self._generation = sink.generation

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        if self._generation == self._sink.generation:
            return self._sink.submit(lane, batch)
        answer = asyncio.get_running_loop().create_future()
        answer.set_exception(TransientError("submit", "the scope broke"))
        return answer

    async def commit(self, save: Save) -> None:
        await save({})
