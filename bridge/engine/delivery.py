"""The sink as all lanes share it: the current scope, its commits, and what happens when it breaks."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from bridge.engine.policy import Policy
from bridge.engine.retry import Backoff
from bridge.engine.stall import Stall
from connectors.base import (
    Batch,
    Clock,
    ConnectorError,
    Outcome,
    RefusedError,
    Rejected,
    Scope,
    Sink,
    TransientError,
)

log = structlog.get_logger(__name__)

STALLED_S = 10.0
"""A sink that owes answers and gives none for so long is worth telling."""


class RewindError(TransientError):
    """The scope broke: the lane must read again from the last place that it knows to be durable."""


class Delivery:
    """Holds the sink's current scope and numbers the stretches between breaks.

    Such a stretch is an *epoch*. A lane learns the epoch when it begins to stream and submits under it. Once a scope
    breaks, submissions under the old epoch are refused at once, so that no lane can send a later record through a
    new scope before it has noticed that an earlier one was lost with the old.
    """

    def __init__(self, sink: Sink, policy: Policy, clock: Clock, backoff: Backoff) -> None:
        self._sink = sink
        self._policy = policy
        self._clock = clock
        self._backoff = backoff
        self._epoch = 0
        self._scope: Scope | None = None
        self._stall = Stall()
        self.trouble: ConnectorError | None = None
        """Why there is no scope; None while there is one."""
        self._available = asyncio.Event()
        self._broken = asyncio.Event()

    async def ready(self) -> int:
        """Wait for a scope that takes submissions; the epoch to submit under."""
        await self._available.wait()
        return self._epoch

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        """As ``Sink.inspect``."""
        return self._sink.inspect(batch)

    def submit(self, epoch: int, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        """As ``Scope.submit``. A batch without records is settled as it is.

        Raises ``RewindError`` when ``epoch`` is over.
        """
        if self._scope is None or epoch != self._epoch:
            raise RewindError("submit", "the sink's scope broke meanwhile")
        if not len(batch):
            settled = asyncio.get_running_loop().create_future()
            settled.set_result(Outcome())
            return settled
        answer = self._scope.submit(lane, batch)
        self._stall.submitted(self._clock.monotonic())
        answer.add_done_callback(partial(self._notice, epoch))
        return answer

    def is_stalled(self) -> bool:
        """Whether the sink has owed an answer for some time without giving any."""
        return self._stall.seconds(self._clock.monotonic()) >= STALLED_S

    async def run(self, save: Callable[[], Awaitable[None]], worth_saving: Callable[[], bool]) -> None:
        """Open scopes and commit them at the policy's interval, until cancelled. Begin again after each break."""
        await self._open()
        while True:
            if await self._breaks_within(self._policy.checkpoint_interval_s):
                await self._open()
            elif worth_saving():
                await self.commit(save)

    async def commit(self, save: Callable[[], Awaitable[None]]) -> None:
        """End the current scope with the lanes' places, and go on in the next one. Nothing where none is open."""
        ended = self._scope
        if ended is None:
            return
        try:
            following = await self._sink.begin()
            if self._scope is not ended:
                return
            self._scope = following
            await ended.commit(save)
        except ConnectorError as error:
            self._break(error)

    async def finish(self, save: Callable[[], Awaitable[None]]) -> None:
        """End the last scope. Without one, what the lanes know to be durable is saved all the same.

        Raises what ``save`` raises, and ``ConnectorError`` where the scope breaks over it.
        """
        ended, self._scope = self._scope, None
        if ended is None:
            await save()
        else:
            await ended.commit(save)

    async def _breaks_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._broken.wait()
        except TimeoutError:
            return False
        return True

    async def _open(self) -> None:
        self._broken.clear()
        while True:
            try:
                self._scope = await self._sink.begin()
            except RefusedError as error:
                self.trouble = error
                log.error("sink refuses", error=str(error), again_in_s=self._policy.hold_s)
                await self._clock.sleep(self._policy.hold_s)
            except ConnectorError as error:
                self.trouble = error
                delay = self._backoff.next()
                log.warning("sink not ready", error=str(error), again_in_s=round(delay, 1))
                await self._clock.sleep(delay)
            else:
                break
        self.trouble = None
        self._epoch += 1
        self._available.set()

    def _notice(self, epoch: int, answer: asyncio.Future[Outcome]) -> None:
        self._stall.answered(self._clock.monotonic())
        if answer.cancelled():
            return
        error = answer.exception()
        if epoch != self._epoch:
            return
        if error is None:
            self._backoff.reset()
        else:
            self._break(error)

    def _break(self, error: BaseException) -> None:
        if self._scope is None:
            return
        if isinstance(error, ConnectorError):
            self.trouble = error
        log.warning("scope broke, lanes go back to what is durable", error=str(error))
        self._scope = None
        self._available.clear()
        self._broken.set()
