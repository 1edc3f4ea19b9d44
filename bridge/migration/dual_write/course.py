"""The ends in their roles, from one swap to the next."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

from bridge.assembly.opening import reached
from bridge.engine.retry import Backoff
from bridge.migration.dual_write.authority import Authority
from bridge.migration.dual_write.counts import Tally
from bridge.migration.dual_write.healing import Healing
from bridge.migration.dual_write.intake import Intake
from bridge.migration.dual_write.journal import Journal
from bridge.migration.dual_write.journal_file import Roles
from bridge.migration.dual_write.look_back import LookBack
from bridge.migration.dual_write.owed import Owed
from bridge.migration.dual_write.shadow import Shadow
from bridge.migration.dual_write.targets import Target
from connectors.base import Clock, Observer, Sink

_LONGEST_REST_S = 5.0
"""Before a shadow that is away is tried again: all that is sent meanwhile goes through the spool."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What both roles have to do with, and what outlives a swap."""

    journal: Journal
    owed: Owed
    intake: Intake
    tally: Tally
    clock: Clock
    random: Random
    observer: Observer
    settled_at: float
    """From then on nothing lands any more that an earlier life sent, by the monotonic clock."""
    give_up: Callable[[Exception], None]
    """Ends the writer."""

    def look_back(self, target: Target) -> LookBack:
        writer = self.journal.opened.writer
        return LookBack(target, writer, self.settled_at, self.clock, self.random, self.observer, self.tally)

    def sink(self, target: Target) -> Sink:
        return target.sink(self.clock, self.random, self.observer)


class Course:
    """An authority that is open, and a shadow that follows once it is told to."""

    def __init__(self, parts: Parts, targets: Mapping[str, Target], roles: Roles) -> None:
        self.roles = roles
        self._parts = parts
        self._authority = targets[roles.authority]
        self._shadow = targets[roles.shadow]
        self._opened = AsyncExitStack()

    async def open(self) -> Authority:
        """The authority, to which nothing has been sent. Raises ``ConnectorError``."""
        parts = self._parts
        async with AsyncExitStack() as opened:
            sink = await opened.enter_async_context(reached("authority", parts.sink(self._authority)))
            authority = Authority(
                sink,
                parts.look_back(self._authority),
                parts.clock,
                parts.random,
                hear=parts.intake.hear,
                give_up=parts.give_up,
            )
            await authority.open()
            opened.push_async_callback(authority.close)
            self._opened = opened.pop_all()
        return authority

    async def follow(self) -> None:
        """Let the shadow follow, from what the spool holds on."""
        await self._opened.enter_async_context(running("dual-write shadow", self._follow(), self._parts.give_up))

    async def close(self) -> None:
        """Give up what is on its way at both ends."""
        await self._opened.aclose()

    async def _follow(self) -> None:
        parts = self._parts
        healing = Healing(parts.journal, parts.look_back(self._authority), parts.clock, parts.tally)
        await healing.run(parts.random)
        shadow = Shadow(
            lambda: parts.sink(self._shadow),
            parts.look_back(self._shadow),
            parts.owed,
            parts.journal,
            parts.clock,
            Backoff(parts.random, ceiling_s=_LONGEST_REST_S),
            parts.tally,
        )
        await shadow.run(parts.intake.settle)


@asynccontextmanager
async def running(
    name: str, work: Coroutine[None, None, None], give_up: Callable[[Exception], None]
) -> AsyncIterator[None]:
    """``work`` in the background while the context lasts. What ends it goes to ``give_up``."""

    def over(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            give_up(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(over)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
