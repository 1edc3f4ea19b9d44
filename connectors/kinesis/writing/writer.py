"""The way of records into a stream between two breaks: several calls at once, never two entries of a key."""

import asyncio
from collections.abc import Collection

from connectors.base import Batch, ConnectorError, Outcome, TransientError, WithdrawnError
from connectors.kinesis.writing.delivery import Delivery, Means
from connectors.kinesis.writing.entry import MAX_ENTRIES, Call
from connectors.kinesis.writing.key_order import KeyOrder
from connectors.kinesis.writing.submission import Lane, Submission

_QUEUE_S = 2.0
_LARGEST_QUEUE = 8 * 1024 * 1024
_SMALLEST_QUEUE = 256 * 1024
_WORTH_A_CALL = MAX_ENTRIES // 2
_LONGEST_LINGER_S = 0.05
_REPEATED_S = 4.0
"""A call without an answer is repeated for so long once its lane is withdrawn. Who withdrew it waits a bit longer."""


class Writer:
    """Takes batches and answers each once all of its records have their outcome, or breaks for good."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._moved = asyncio.Event()
        self._order = KeyOrder(means.codec, means.shards, self._moved)
        self._lanes: dict[str, Lane] = {}
        self._leaving: set[Lane] = set()
        """Withdrawn lanes of which entries are on the wire."""
        self._broken = asyncio.Event()
        self._delivery = Delivery(means, self._order, self._broken, self._let_go)
        self._out: dict[int, Call] = {}
        """What each worker has on the wire."""
        self._turn = asyncio.Lock()
        self.failure: ConnectorError | None = None
        """Why it broke. Everything unanswered has raised by then."""
        self._workers = [
            asyncio.create_task(self._work(number), name=f"{means.api.target} call {number}")
            for number in range(means.calls_in_flight)
        ]

    @property
    def trouble(self) -> ConnectorError | None:
        """Why calls have no answer at the moment."""
        return self._delivery.trouble

    def submit(self, name: str, batch: Batch) -> asyncio.Future[Outcome]:
        """As ``Scope.submit``."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        if self.failure is not None:
            answer.set_exception(TransientError(self._writing, f"broken by {self.failure}"))
            return answer
        if any(each.name == name for each in self._leaving):
            answer.set_exception(WithdrawnError(self._writing, f"{name} is being withdrawn"))
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
        """As ``Scope.withdraw``. Of a broken one it ends the repeating of calls that had no answer."""
        repeat_until = self._means.clock.monotonic() + _REPEATED_S
        for name in names:
            lane = self._lanes.pop(name, None)
            if lane is not None:
                lane.drop(repeat_until)
                self._leaving.add(lane)
        self._let_go()
        self._delivery.look_again()

    def give_up(self, error: ConnectorError) -> None:
        """Break: nothing that is not on the wire is sent any more, and what is unanswered raises."""
        if self.failure is not None:
            return
        self.failure = error
        for lane in (*self._lanes.values(), *self._leaving):
            lane.fail(error)
            lane.drained.set()
        self._broken.set()
        self._moved.set()
        self._delivery.look_again()

    async def settled(self) -> None:
        """Wait until a broken one knows what became of every call. May be cancelled, and called again.

        Raises what was no ``ConnectorError`` and broke it.
        """
        # Unlike gather, which would end calls on the wire where the one who waits is cancelled.
        await asyncio.wait(self._workers)
        for lane in (*self._lanes.values(), *self._leaving):
            self._means.landings.remember(lane)
        self._lanes.clear()
        self._leaving.clear()
        self._order.drop()
        for worker in self._workers:
            if not worker.cancelled():
                worker.result()

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

    async def _work(self, number: int) -> None:
        """Make one call after another, until broken."""
        try:
            while call := await self._next():
                self._out[number] = call
                try:
                    await self._delivery.deliver(call)
                finally:
                    del self._out[number]
                self._let_go()
                self._moved.set()
        except ConnectorError as error:
            self.give_up(error)
        except Exception as error:
            # A task that ended silently would leave every lane waiting.
            self.give_up(TransientError(self._writing, repr(error)))
            raise

    async def _next(self) -> Call | None:
        """The next call, as soon as there is something for it; none once broken."""
        async with self._turn:
            linger = _Linger(self._order)
            while True:
                await self._means.vigil.assured(self._broken)
                if self._broken.is_set():
                    return None
                self._moved.clear()
                now = self._means.clock.monotonic()
                if self._out and (seconds := linger.left_s(now)):
                    await self._wait(seconds)
                    continue
                call = self._order.take(now)
                if call.entries:
                    return call
                await self._wait(self._order.wait_s(now))

    async def _wait(self, seconds: float | None) -> None:
        """Until something may have become ready, ``seconds`` at most."""
        try:
            async with asyncio.timeout(seconds):
                await self._moved.wait()
        except TimeoutError:
            return

    def _let_go(self) -> None:
        """Answer withdrawn lanes of which nothing is on the wire any more."""
        if not self._leaving:
            return
        on_wire = {entry.lane for call in self._out.values() for entry in call.entries}
        for lane in self._leaving - on_wire:
            self._leaving.discard(lane)
            self._means.landings.remember(lane)
            lane.fail(WithdrawnError(self._writing, f"{lane.name} was withdrawn"))


class _Linger:
    """How long a small call waits for company while others are on the wire.

    Keys come back with each call that is answered: few of them, sent at once, would stay apart from the others and be
    answered alone again and again, at the price of a whole call.
    """

    def __init__(self, order: KeyOrder) -> None:
        self._order = order
        self._until: float | None = None

    def left_s(self, now: float) -> float:
        """0 where it is time to send."""
        if not 0 < self._order.ready < _WORTH_A_CALL:
            return 0.0
        if self._until is None:
            self._until = now + min(_LONGEST_LINGER_S, self._order.round_trip_s)
        return max(0.0, self._until - now)
