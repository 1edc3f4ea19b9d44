"""How long a step waits for what is not its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from connectors.base import TransientError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """That of one step, for each call."""

    step: str
    timeout_s: float

    async def wait(self, call: Awaitable[T]) -> T:
        """What ``call`` answers. Raises ``TransientError`` where it does not in time, and what it raises itself."""
        async with self.for_each():
            return await call

    @asynccontextmanager
    async def for_each(self) -> AsyncIterator[Callable[[], None]]:
        """For many short calls, at less than one costs by itself: what it yields is to be called after each.

        A call may take up to a tenth longer. Raises as ``wait``.
        """
        loop = asyncio.get_running_loop()
        deadline = asyncio.timeout(self.timeout_s)
        due_s = loop.time() + self.timeout_s / 10

        def answered() -> None:
            nonlocal due_s
            now_s = loop.time()
            if now_s > due_s:
                deadline.reschedule(now_s + self.timeout_s)
                due_s = now_s + self.timeout_s / 10

        try:
            async with deadline:
                yield answered
        except TimeoutError:
            if not deadline.expired():
                raise
            raise self.over() from None

    def behind(self, seconds: float) -> TransientError:
        """What is raised for a call that was not begun, behind one that has been at it for so long."""
        return TransientError(
            f"transform by {self.step}",
            f"an earlier call has not ended for {seconds:.0f} s",
            "no other is begun before it does; where it never will, restart the mirror",
        )

    def over(self) -> TransientError:
        """What is raised once a call has taken too long."""
        return TransientError(
            f"transform by {self.step}",
            f"no answer within {self.timeout_s:g} s",
            "it is called again; its timeout is a key of that step",
        )
