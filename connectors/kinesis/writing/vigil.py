"""Notices that this process did not run for a while, and makes sure then that it still may write."""

import asyncio
from collections.abc import Awaitable, Callable

from connectors.base import Clock

Confirm = Callable[[], Awaitable[None]]
"""Returns once it is certain who owns the lanes; what is not owned any more has been withdrawn or aborted by then.

Must not wait for answers of the sink, which may be waiting for it. May be cancelled. What it raises breaks the scope.
"""

_LOOKS = 4


class Vigil:
    """A stopped process, a suspended machine, a blocked loop: others may own its lanes by the time it goes on."""

    def __init__(self, away_s: float, confirm: Confirm, clock: Clock) -> None:
        self._away_s = away_s
        self._confirm = confirm
        self._clock = clock
        self._confirming = asyncio.Lock()
        self.gaps = 0
        """How often this process was away."""
        self._assured_gaps = 0
        """How many of these a confirmation has followed."""
        self._monotonic = clock.monotonic()
        self._wall_ms = clock.now_ms()

    async def keep(self) -> None:
        """Look at the clock now and then, until cancelled, so that a gap in it is one in running."""
        while True:
            await self._clock.sleep(self._away_s / _LOOKS)
            self._look()

    async def assured(self, broken: asyncio.Event) -> None:
        """Return once it is certain that this process was not away, or who owns the lanes now.

        Returns at once where ``broken`` is set, with nothing assured: whoever broke a writer may be the one that the
        confirmation waits for. Raises what confirming raises.
        """
        self._look()
        while self._is_unsure and not broken.is_set():
            waits = (asyncio.create_task(self._make_sure()), asyncio.create_task(broken.wait()))
            try:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait in done:
                    wait.result()
            finally:
                for wait in waits:
                    wait.cancel()
                await asyncio.gather(*waits, return_exceptions=True)
            self._look()

    @property
    def _is_unsure(self) -> bool:
        return self._assured_gaps < self.gaps

    async def _make_sure(self) -> None:
        """Ask again where this process was away again before it heard the answer."""
        async with self._confirming:
            while self._is_unsure:
                gaps = self.gaps
                await self._confirm()
                self._assured_gaps = gaps
                self._look()

    def _look(self) -> None:
        """Both clocks: the one may stand still while a machine sleeps, the other may be set."""
        monotonic, wall_ms = self._clock.monotonic(), self._clock.now_ms()
        gap_s = max(monotonic - self._monotonic, (wall_ms - self._wall_ms) / 1000)
        self._monotonic, self._wall_ms = monotonic, wall_ms
        if gap_s > self._away_s:
            self.gaps += 1
