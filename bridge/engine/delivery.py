"""The sink as all lanes share it: the current scope, its commits, and what happens when it breaks."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import partial
from typing import Protocol

import structlog

from bridge.engine.allowance import Allowance
from bridge.engine.nap import Nap, nap
from bridge.engine.policy import Policy
from bridge.engine.retry import Backoff
from bridge.engine.stall import Stall
from bridge.engine.tracing import Tracer
from checkpoints.base import CheckpointError
from connectors.base import (
    Batch,
    Clock,
    ConnectorError,
    Outcome,
    Place,
    RefusedError,
    Rejected,
    Save,
    Scope,
    Sink,
    TransientError,
    UncertainError,
    WithdrawnError,
)

log = structlog.get_logger(__name__)

STALLED_S = 10.0
"""A sink that owes answers and gives none for so long is worth telling."""

_SCOPES = 4
"""Of so many there is room in the memory."""

_STALLED = TransientError("write", f"the sink has not answered for more than {STALLED_S:.0f} s")


class RewindError(TransientError):
    """The scope broke: the lane must read again from the last place that it knows to be durable."""


class Keeper(Protocol):
    """Knows where the lanes stand and what of that is stored."""

    def has_moved(self) -> bool:
        """Whether there is something to store."""

    async def save(self, covered: Mapping[str, Place]) -> None:
        """Store where the lanes stand, those in ``covered`` at the places there. Raises ``CheckpointError``."""

    def confirm(self) -> None:
        """What was saved last took effect."""

    def excuse(self, error: CheckpointError) -> None:
        """Saving failed, and will be tried again. Raises ``error`` where that is of no use."""


Retake = Callable[[], Awaitable[None]]
"""Stops all lanes and starts them anew from the stored checkpoints."""


class Delivery:
    """Holds the sink's current scope and numbers the stretches between breaks.

    Such a stretch is an *epoch*. A lane learns the epoch when it begins to stream and submits under it. Once a scope
    breaks, submissions under the old epoch are refused at once, so that no lane can send a later record through a
    new scope before it has noticed that an earlier one was lost with the old.
    """

    def __init__(self, sink: Sink, policy: Policy, clock: Clock, backoff: Backoff, tracer: Tracer) -> None:
        self._sink = sink
        self._policy = policy
        self._clock = clock
        self._backoff = backoff
        self._tracer = tracer
        self._epoch = 0
        self._scope: Scope | None = None
        self._left: Scope | None = None
        """The one that broke, until there is another."""
        self._uncertain = False
        self._submitted = 0
        self._allowance = Allowance(policy.memory // _SCOPES)
        self._has_room = asyncio.Event()
        self._unheard: set[asyncio.Future[Outcome]] = set()
        """Answers that have not been noticed yet, given or not."""
        self._stall = Stall()
        self._last: BaseException | None = None
        """What broke the last scope."""
        self.trouble: ConnectorError | None = None
        """Why there is no scope; None while there is one."""
        self._nap = Nap()
        self._available = asyncio.Event()
        self._broken = asyncio.Event()
        self._committing = asyncio.Lock()
        self._due = asyncio.Event()
        """Set when the scope is to be committed, or begun anew, before its interval is over."""

    def confine(self, memory: int) -> None:
        """As ``Policy.memory``, from now on."""
        self._allowance.confine(memory // _SCOPES)

    async def ready(self) -> int:
        """Wait for a scope that takes submissions; the epoch to submit under."""
        await self._available.wait()
        return self._epoch

    async def room(self, lane: str) -> None:
        """Wait until the scope may hold more of ``lane``. Call it before each batch: what is submitted all the same
        passes.
        """
        await self._has_room.wait()
        if self._scope is not None:
            await self._scope.room(lane)

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        """As ``Sink.inspect``."""
        return self._sink.inspect(batch)

    def submit(self, epoch: int, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        """As ``Scope.submit``. A batch without records is settled as it is.

        Raises ``RewindError`` when ``epoch`` is over.
        """
        scope = self._current(epoch)
        if not len(batch):
            settled = asyncio.get_running_loop().create_future()
            settled.set_result(Outcome())
            return settled
        return self._watched(epoch, scope, scope.submit(lane, batch), batch)

    def bury(self, epoch: int, lane: str, letter: Batch) -> asyncio.Future[Outcome] | None:
        """As ``Scope.bury``. Raises ``RewindError`` when ``epoch`` is over."""
        scope = self._current(epoch)
        answer = scope.bury(lane, letter)
        return None if answer is None else self._watched(epoch, scope, answer, letter)

    def inspect_letter(self, epoch: int, letter: Batch) -> tuple[Rejected, ...] | None:
        """As ``Scope.inspect_letter``. Raises ``RewindError`` when ``epoch`` is over."""
        return self._current(epoch).inspect_letter(letter)

    @property
    def stall(self) -> ConnectorError | None:
        """Why the sink has owed an answer for some time without giving any; None where it has not."""
        is_stalled = self._stall.seconds(self._clock.monotonic()) >= STALLED_S
        return (self._sink.trouble or _STALLED) if is_stalled else None

    def has_told(self, error: ConnectorError) -> bool:
        """Whether ``error`` is about the scope, and so in the log already."""
        return error is self._last or isinstance(error, RewindError)

    async def run(self, keeper: Keeper, retake: Retake) -> None:
        """Open scopes and commit them at the policy's interval, until cancelled. Begin again after each break.

        A scope is committed earlier when as much waits for that as is allowed. Where nobody knows whether a commit
        took effect, ``retake`` is awaited before the lanes may submit again.
        """
        await self._open(retake)
        while True:
            await self._interval()
            if self._broken.is_set():
                await self._open(retake)
            elif self._scope is not None and (self._scope.waits or keeper.has_moved()):
                await self.commit(keeper)

    async def commit(self, keeper: Keeper) -> None:
        """End the current scope with the lanes' places, and go on in the next one. Nothing where none is open."""
        async with self._committing:
            ended = self._scope
            if ended is None:
                return
            try:
                following = await self._following(ended)
                # A break may be raised and not noticed yet: then the following scope belongs to another epoch.
                if (failure := self._unheard_failure()) is not None:
                    self._break(failure)
                if self._scope is not ended:
                    return
                submitted = self._follow(following)
                await self._end(ended, keeper, submitted)
            except ConnectorError as error:
                self._break(error)

    async def commit_apart(self, save: Save) -> None:
        """Let ``save`` store something in a scope of its own, once the sink gives one. Raises what ``commit`` does."""
        await (await self._begun()).commit(save)

    async def finish(self, keeper: Keeper) -> None:
        """End the last scope. Without one, what the lanes know to be durable is saved all the same.

        Raises what ``save`` raises, and ``ConnectorError`` where the scope breaks over it.
        """
        ended, self._scope = self._scope, None
        if ended is not None:
            with self._tracer.commit(self._submitted):
                await ended.commit(keeper.save)
        elif keeper.has_moved():
            await keeper.save({})
        keeper.confirm()

    def withdraw(self, lanes: Collection[str]) -> None:
        """As ``Scope.withdraw``, also of a scope that broke: it may not know yet what became of everything."""
        scope = self._scope or self._left
        if scope is not None:
            scope.withdraw(lanes)

    def hurry(self) -> None:
        """Try at once whatever waits for the next attempt."""
        self._nap.cut()

    def interrupt(self, reason: str) -> None:
        """Break the current scope: what waits for its commit must not take effect."""
        scope = self._scope
        if scope is not None:
            self._break(RewindError("write", reason))
            scope.abort()

    async def _following(self, ended: Scope) -> Scope:
        """The next scope. Without one, ``ended`` is left behind: what it holds must not take effect with another."""
        try:
            return await self._sink.begin()
        except ConnectorError:
            ended.abort()
            raise

    async def _end(self, scope: Scope, keeper: Keeper, submitted: int) -> None:
        waits, since_s = scope.waits, self._clock.monotonic()
        try:
            with self._tracer.commit(submitted):
                await scope.commit(keeper.save)
        except CheckpointError as error:
            keeper.excuse(error)
            if waits:
                self._break(error)
        except ConnectorError:
            self._allowance.failed()
            raise
        else:
            keeper.confirm()
            if waits:
                self._allowance.took(self._clock.monotonic() - since_s, submitted)

    def _follow(self, scope: Scope) -> int:
        """Go on in ``scope``; how many bytes were submitted to the last one."""
        submitted, self._scope, self._left, self._submitted = self._submitted, scope, None, 0
        self._has_room.set()
        return submitted

    def _current(self, epoch: int) -> Scope:
        if self._scope is None or epoch != self._epoch:
            raise RewindError("submit", "the sink's scope broke meanwhile")
        return self._scope

    def _watched(
        self, epoch: int, scope: Scope, answer: asyncio.Future[Outcome], batch: Batch
    ) -> asyncio.Future[Outcome]:
        self._stall.submitted(self._clock.monotonic())
        self._unheard.add(answer)
        answer.add_done_callback(partial(self._notice, epoch))
        self._submitted += batch.size
        if scope.waits and self._submitted >= self._allowance.size:
            self._due.set()
            self._has_room.clear()
        return answer

    async def _interval(self) -> None:
        await nap(self._policy.checkpoint_interval_s, self._due)
        self._due.clear()

    async def _open(self, retake: Retake) -> None:
        self._broken.clear()
        scope = await self._begun()
        if self._uncertain:
            await retake()
            self._uncertain = False
        self._follow(scope)
        self.trouble = None
        self._epoch += 1
        self._available.set()

    async def _begun(self) -> Scope:
        """The next scope, however long the sink cannot give one."""
        while True:
            try:
                return await self._sink.begin()
            except RefusedError as error:
                self.trouble = error
                log.error("sink refuses", error=str(error), again_in_s=self._policy.hold_s)
                await self._nap.take(self._policy.hold_s)
            except ConnectorError as error:
                self.trouble = error
                delay = self._backoff.next()
                log.warning("sink not ready", error=str(error), again_in_s=round(delay, 1))
                await self._nap.take(delay)

    def _notice(self, epoch: int, answer: asyncio.Future[Outcome]) -> None:
        self._unheard.discard(answer)
        self._stall.answered(self._clock.monotonic())
        if answer.cancelled():
            return
        error = answer.exception()
        if epoch != self._epoch:
            return
        if error is None:
            self._backoff.reset()
        elif _breaks(error):
            self._break(error)

    def _unheard_failure(self) -> BaseException | None:
        given = (answer for answer in self._unheard if answer.done() and not answer.cancelled())
        return next((error for answer in given if (error := answer.exception()) is not None and _breaks(error)), None)

    def _break(self, error: BaseException) -> None:
        self._uncertain |= isinstance(error, UncertainError)
        if self._scope is None:
            return
        if isinstance(error, ConnectorError):
            self.trouble = error
        log.info("scope broke, lanes go back to what is durable", error=str(error))
        self._left, self._scope = self._scope, None
        self._last = error
        self._available.clear()
        self._broken.set()
        self._due.set()


def _breaks(error: BaseException) -> bool:
    """Whether what a submission raised is the end of its scope."""
    return not isinstance(error, WithdrawnError)
