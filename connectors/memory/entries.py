"""A sink that lives in memory and writes record by record, as a stream of many keys does, with faults on request.

Each key has one record on its way at a time; other keys go on meanwhile. So what is written is no prefix of what was
read, and whoever takes over has to ask what there is.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from functools import partial
from random import Random
from types import TracebackType

from connectors.base import (
    ORIGIN_HEADER,
    Batch,
    Clock,
    ConnectorError,
    Outcome,
    Record,
    RefusedError,
    Rejected,
    Scope,
    Sink,
    TransientError,
    WithdrawnError,
)
from connectors.memory.faults import Faults
from connectors.memory.scope import MemoryScope
from connectors.memory.topic import MemoryTopic
from connectors.provenance import parse

_LOOK_S = 0.01
"""How long looking takes: longer than a record is on the wire."""
_WIRE_S = 0.001
_AGAIN_S = 0.1


class TimedTopic(MemoryTopic):
    """Knows when each record arrived."""

    def __init__(self, name: str, partitions: int, clock: Clock) -> None:
        super().__init__(name, partitions)
        self._clock = clock
        self.arrivals: list[tuple[int, Record]] = []

    def append(self, record: Record) -> None:
        super().append(record)
        self.arrivals.append((self._clock.now_ms(), record))


@dataclass(slots=True, eq=False)
class _Submission:
    lane: str
    batch: Batch
    answer: asyncio.Future[Outcome]
    left: int
    landed: set[str] = field(default_factory=set)
    is_withdrawn: bool = False


@dataclass(slots=True, eq=False)
class _Entry:
    submission: _Submission
    record: Record
    identity: str


class EntryMemorySink(Sink):
    """Remembers what landed behind a submission that was never answered: submitted again, it counts as written.

    A refusal before a write breaks the scope; other faults are waited out. ``confirm`` is awaited before a write by a
    process that was away for longer than ``away_s``.
    """

    def __init__(
        self,
        topic: TimedTopic,
        clock: Clock,
        faults: Faults,
        random: Random,
        *,
        confirm: Callable[[], Awaitable[None]],
        away_s: float,
        refuses: Callable[[Record], str | None],
    ) -> None:
        self._topic = topic
        self._clock = clock
        self._faults = faults
        self._random = random
        self._confirm = confirm
        self._away_s = away_s
        self._refuses = refuses
        self._waiting: dict[bytes | None, deque[_Entry]] = {}
        self._writers: dict[bytes | None, asyncio.Task[None]] = {}
        self._open: defaultdict[str, deque[_Submission]] = defaultdict(deque)
        """Of each lane what it may submit again: from its first submission without an answer on."""
        self._landed: defaultdict[str, set[str]] = defaultdict(set)
        self._refusal: ConnectorError | None = None
        self._wire: set[asyncio.Event] = set()
        self._unsure: set[asyncio.Event] = set()
        """What was on the wire when a scope broke."""
        self._seen_s = clock.monotonic()
        self.generation = 0

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        writers = list(self._writers.values())
        for writer in writers:
            writer.cancel()
        await asyncio.gather(*writers, return_exceptions=True)
        self.break_off(TransientError("write", "the sink was left"))

    @property
    def identity(self) -> str:
        return f"{self._topic.name}@1"

    @property
    def address(self) -> str:
        return f"memory:{self._topic.name}"

    def now_ms(self) -> int:
        return self._clock.now_ms()

    async def landed(self, source: str, since_ms: Mapping[str, int]) -> Mapping[str, Collection[str]]:
        await self._clock.sleep(_LOOK_S)
        await self._faults.before("look", "")
        found: defaultdict[str, set[str]] = defaultdict(set)
        for arrived_ms, record in self._topic.arrivals:
            hop = parse(next(text for name, text in reversed(record.headers) if name == ORIGIN_HEADER and text))
            if hop.source == source and arrived_ms >= since_ms.get(hop.partition, arrived_ms + 1):
                found[hop.partition].add(hop.identity)
        return found

    async def begin(self) -> Scope:
        for heard in self._unsure:
            await heard.wait()
        refusal, self._refusal = self._refusal, None
        if refusal is not None:
            raise refusal
        await self._faults.before("begin", "")
        return EntryScope(self)

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        reasons = ((index, self._refuses(record)) for index, record in enumerate(batch.records()))
        return tuple(Rejected(index, reason, f"refused: {reason}") for index, reason in reasons if reason)

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        known = self._landed[lane]
        identities = batch.identities
        new = [each for each in zip(batch.records(), identities, strict=True) if each[1] not in known]
        submission = _Submission(lane, batch, asyncio.get_running_loop().create_future(), len(new))
        submission.landed = known.intersection(identities)
        self._open[lane].append(submission)
        self._settle(submission)
        for record, identity in new:
            self._waiting.setdefault(record.key, deque()).append(_Entry(submission, record, identity))
            if record.key not in self._writers:
                writer = asyncio.create_task(self._write(record.key), name=f"memory sink {record.key!r}")
                self._writers[record.key] = writer
        return submission.answer

    def withdraw(self, lanes: Collection[str]) -> None:
        """Drop what of ``lanes`` waits; what is on the wire has its outcome soon."""
        withdrawn = [submission for lane in lanes for submission in self._open[lane]]
        self._drop(withdrawn)
        error = WithdrawnError("write", "withdrawn")
        asyncio.get_running_loop().call_later(2 * _WIRE_S, self._fail, withdrawn, error)

    def break_off(self, error: ConnectorError) -> None:
        """Drop all that waits, and fail all that is not answered."""
        self.generation += 1
        self._unsure = set(self._wire)
        given_up = [submission for submissions in self._open.values() for submission in submissions]
        self._drop(given_up)
        self._fail(given_up, error)

    def _drop(self, submissions: list[_Submission]) -> None:
        for submission in submissions:
            submission.is_withdrawn = True
        for waiting in self._waiting.values():
            kept = [entry for entry in waiting if not entry.submission.is_withdrawn]
            waiting.clear()
            waiting.extend(kept)

    def _fail(self, submissions: list[_Submission], error: ConnectorError) -> None:
        for submission in submissions:
            if submission in self._open[submission.lane]:
                self._open[submission.lane].remove(submission)
                self._landed[submission.lane] |= submission.landed
            if not submission.answer.done():
                submission.answer.set_exception(error)
                # Nobody may be waiting for it.
                submission.answer.exception()

    async def _write(self, key: bytes | None) -> None:
        """Write what waits of ``key``, one record after the other."""
        waiting = self._waiting[key]
        try:
            while waiting:
                if await self._may_send() and waiting:
                    await self._send(waiting.popleft())
        except RefusedError as error:
            self._refusal = self._refusal or error
            self.break_off(error)
        finally:
            del self._writers[key]
            del self._waiting[key]

    async def _may_send(self) -> bool:
        """Whether what waits may go now, with nothing to wait for in between."""
        try:
            await self._faults.before("write", "")
        except RefusedError:
            raise
        except TransientError:
            await self._clock.sleep(_AGAIN_S)
            return False
        if self._clock.monotonic() - self._seen_s > self._away_s:
            # Whoever else would send meanwhile comes to the same question.
            before_s = self._clock.monotonic()
            await self._confirm()
            self._seen_s = max(self._seen_s, before_s)
            return False
        self._seen_s = self._clock.monotonic()
        return True

    async def _send(self, entry: _Entry) -> None:
        """On the wire it lands, whatever becomes of this process."""
        arrived, heard = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        delay_s = self._random.uniform(0.0, _WIRE_S)
        loop.call_later(delay_s, partial(self._topic.append, entry.record), context=Context())
        loop.call_later(delay_s, arrived.set)
        self._wire.add(heard)
        await arrived.wait()
        submission = entry.submission
        submission.landed.add(entry.identity)
        if submission not in self._open[submission.lane]:
            self._landed[submission.lane].add(entry.identity)
        submission.left -= 1
        self._settle(submission)
        self._wire.discard(heard)
        heard.set()

    def _settle(self, submission: _Submission) -> None:
        if submission.left == 0 and not submission.answer.done():
            submission.answer.set_result(Outcome())
        waiting = self._open[submission.lane]
        while waiting and waiting[0].left == 0:
            self._landed[submission.lane] -= waiting.popleft().landed


class EntryScope(MemoryScope[EntryMemorySink]):
    """What is submitted there can be taken back."""

    def withdraw(self, lanes: Collection[str]) -> None:
        self._sink.withdraw(lanes)

    def abort(self) -> None:
        self._sink.break_off(TransientError("write", "given up"))
