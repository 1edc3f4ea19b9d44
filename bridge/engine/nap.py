"""A pause before the next attempt, which a person may cut short."""

import asyncio
from contextlib import suppress


class Nap:
    """Many may take it at once; whoever cuts it short wakes all of them."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    async def take(self, seconds: float | None = None) -> None:
        """Wait for so long, None: without end, or until ``cut``."""
        woken = self._woken
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await woken.wait()

    def cut(self) -> None:
        """Wake who waits now; who comes later waits."""
        woken, self._woken = self._woken, asyncio.Event()
        woken.set()
