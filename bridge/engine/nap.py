"""Pauses that something may cut short."""

import asyncio
from contextlib import suppress


async def nap(seconds: float | None, woken: asyncio.Event) -> None:
    """Wait for so long, None: without end, or until ``woken`` is set."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await woken.wait()


class Nap:
    """Before the next attempt. Many may take it at once; whoever cuts it short wakes all of them."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    async def take(self, seconds: float | None = None) -> None:
        """Wait for so long, None: without end, or until ``cut``."""
        await nap(seconds, self._woken)

    def cut(self) -> None:
        """Wake who waits now; who comes later waits."""
        woken, self._woken = self._woken, asyncio.Event()
        woken.set()
