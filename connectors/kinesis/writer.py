"""The way of records into a stream between two breaks: several calls at once, never two entries of a key."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from random import Random

from connectors.base import Batch, Clock, ConnectorError, Observer, Outcome, TransientError
from connectors.codecs.codec import Codec
from connectors.kinesis.answers import PutRecordsAnswer, PutResult
from connectors.kinesis.api import StreamApi
from connectors.kinesis.backoff import Backoff
from connectors.kinesis.faults import InvalidError, ThrottledError
from connectors.kinesis.key_order import Entry, KeyOrder
from connectors.kinesis.shard_map import ShardMap
from connectors.kinesis.submission import Landings, Lane, Submission
from connectors.kinesis.vigil import Vigil

_OPERATION = "PutRecords"
_THROTTLED = "ProvisionedThroughputExceededException"
_QUEUE_S = 2.0
_LARGEST_QUEUE = 8 * 1024 * 1024
_SMALLEST_QUEUE = 256 * 1024
_FIRST_DELAY_S = 0.1
_LONGEST_DELAY_S = 10.0


@dataclass(frozen=True, slots=True)
class Means:
    """What a writer works with. All but itself outlives a break."""

    api: StreamApi
    codec: Codec
    shards: ShardMap
    landings: Landings
    vigil: Vigil
    calls_in_flight: int
    clock: Clock
    random: Random
    observer: Observer


class Writer:
    """Takes batches and answers each once all of its records have their outcome, or breaks for good."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._moved = asyncio.Event()
        self._order = KeyOrder(means.codec, means.shards, self._moved)
        self._lanes: dict[str, Lane] = {}
        self._leaving: set[Lane] = set()
        """Withdrawn lanes of which entries are on the wire."""
        self._turn = asyncio.Lock()
        self.failure: ConnectorError | None = None
        """Why it broke. Everything unanswered has raised by then."""
        self._workers = [
            asyncio.create_task(self._work(), name=f"{means.api.target} call {number}")
            for number in range(means.calls_in_flight)
        ]

    def submit(self, name: str, batch: Batch) -> asyncio.Future[Outcome]:
        """As ``Scope.submit``."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if self.failure is not None or any(each.name == name for each in self._leaving):
            answer.set_exception(TransientError(self._writing, f"broken by {self.failure or 'a withdrawal'}"))
            return answer
        if not len(batch):
            answer.set_result(Outcome())
            return answer
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(name)
        submission = Submission(lane, batch, self._means.codec.encoder(batch), answer)
        lane.submissions.append(submission)
        landed = self._means.landings.among(name, batch)
        for index in landed:
            submission.land(index)
        if submission.left:
            self._order.add(submission, batch, landed)
        return answer

    async def room(self, name: str) -> None:
        """As ``Scope.room``: the queue of a lane holds what the stream takes in two seconds, shared by all lanes."""
        while self.failure is None:
            lane = self._lanes.get(name)
            if lane is None or lane.queued < self._queue_size():
                return
            lane.drained.clear()
            await lane.drained.wait()

    def withdraw(self, names: Collection[str]) -> None:
        """As ``Scope.withdraw``."""
        for name in names:
            lane = self._lanes.pop(name, None)
            if lane is not None:
                lane.dropped = True
                lane.take(lane.queued)
                self._leaving.add(lane)
        self._let_go()

    def give_up(self, error: ConnectorError) -> None:
        """Break: nothing that is not on the wire is sent any more, and what is unanswered raises."""
        if self.failure is not None:
            return
        self.failure = error
        for lane in (*self._lanes.values(), *self._leaving):
            lane.fail(error)
            lane.drained.set()
        self._moved.set()

    async def settled(self) -> None:
        """Wait until a broken one knows what became of every call."""
        await asyncio.gather(*self._workers)
        for lane in (*self._lanes.values(), *self._leaving):
            self._means.landings.remember(lane)
        self._lanes.clear()
        self._leaving.clear()

    async def close(self) -> None:
        """Drop everything, whatever is on the wire too."""
        self.give_up(TransientError(self._writing, "the sink was left"))
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)

    @property
    def _writing(self) -> str:
        return f"write to {self._means.api.target}"

    def _queue_size(self) -> float:
        rate = self._means.shards.bytes_per_s
        if rate is None:
            return _LARGEST_QUEUE
        share = rate * _QUEUE_S / max(1, len(self._lanes))
        return min(_LARGEST_QUEUE, max(_SMALLEST_QUEUE, share))

    async def _work(self) -> None:
        """Make one call after another, until broken."""
        try:
            while entries := await self._next():
                await self._deliver(entries)
                self._let_go()
                self._moved.set()
        except ConnectorError as error:
            self.give_up(error)
        except Exception as error:
            # A task that ended silently would leave every lane waiting.
            self.give_up(TransientError(self._writing, repr(error)))
            raise

    async def _next(self) -> list[Entry]:
        """The entries of the next call, as soon as there are any; none once broken."""
        async with self._turn:
            while True:
                await self._means.vigil.assured()
                if self.failure is not None:
                    return []
                self._moved.clear()
                entries, wait_s = self._order.take(self._means.clock.monotonic())
                if entries:
                    return entries
                await self._wait(wait_s)

    async def _wait(self, seconds: float | None) -> None:
        """Until something may have become ready, ``seconds`` at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            return

    async def _deliver(self, entries: list[Entry]) -> None:
        """Bring ``entries`` to their outcomes. Where a call is refused for what is in it, its halves are tried."""
        pending = [entries]
        while pending:
            part = pending.pop()
            try:
                await self._put(part)
            except InvalidError as error:
                if len(part) > 1:
                    middle = len(part) // 2
                    pending += [part[middle:], part[:middle]]
                else:
                    self._refuse(part[0], error)
            except BaseException:
                for entry in (entry for each in (part, *pending) for entry in each):
                    self._order.done(entry)
                raise

    async def _put(self, entries: list[Entry]) -> None:
        """One call, again and again until it has an answer. Raises ``RefusedError``."""
        means = self._means
        backoff = Backoff(means.clock, means.random)
        lost = False
        while True:
            if await means.vigil.assured():
                self._drop_what_was_lost(entries)
                if not entries:
                    return
            begun = means.clock.monotonic()
            try:
                answer = await means.api.put_records([entry.record for entry in entries])
            except ThrottledError:
                means.observer.throttled(_OPERATION)
                await backoff.wait()
            except TransientError as error:
                means.observer.retried(_OPERATION, type(error).__name__)
                # At once, the first time: what follows in these keys waits for it.
                if lost:
                    await backoff.wait()
                lost = True
            else:
                self._order.round_trip_s += (means.clock.monotonic() - begun - self._order.round_trip_s) / 8
                self._settle(entries, answer.value)
                return

    def _drop_what_was_lost(self, entries: list[Entry]) -> None:
        """Take those out whose lanes were taken away while this process did not run: whether they landed stays open."""
        kept = []
        for entry in entries:
            if self.failure is not None or entry.lane.dropped:
                self._order.done(entry)
            else:
                kept.append(entry)
        entries[:] = kept

    def _settle(self, entries: Sequence[Entry], answer: PutRecordsAnswer) -> None:
        shards = self._means.shards
        done = self._order.done
        raw = sent = 0
        for entry, result in zip(entries, answer.records, strict=True):
            if result.error_code is not None:
                self._failed(entry, result)
                continue
            shard = shards.shards[entry.key.shard]
            if result.shard_id != shard.id:
                shards.stale = True
            shard.rate.accepted()
            sent += entry.size
            for submission, index in entry.parts:
                submission.land(index)
                raw += submission.mean
            done(entry)
        if sent:
            self._means.observer.compressed(raw, sent)

    def _failed(self, entry: Entry, result: PutResult) -> None:
        means = self._means
        now = means.clock.monotonic()
        if result.error_code == _THROTTLED:
            means.observer.throttled(_OPERATION)
            means.shards.shards[entry.key.shard].rate.throttled(now)
            self._order.again(entry)
        else:
            means.observer.retried(_OPERATION, result.error_code or "")
            entry.failures += 1
            span = min(_LONGEST_DELAY_S, _FIRST_DELAY_S * 2 ** min(entry.failures, 16))
            self._order.delay(entry, now + means.random.uniform(span / 2, span))

    def _refuse(self, entry: Entry, error: InvalidError) -> None:
        """The server does not take what is in ``entry``."""
        for submission, index in entry.parts:
            submission.reject(index, "invalid_record", f"{error.operation}: {error.cause}")
        self._order.done(entry)

    def _let_go(self) -> None:
        """Answer withdrawn lanes of which nothing is on the wire any more."""
        for lane in [each for each in self._leaving if not each.on_wire]:
            self._leaving.discard(lane)
            self._means.landings.remember(lane)
            lane.fail(TransientError(self._writing, f"{lane.name} was withdrawn"))
