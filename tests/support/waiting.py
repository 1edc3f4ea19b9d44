"""Waiting for something to become true, with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable

_INTERVAL_S = 0.05


class DeadlineError(Exception):
    """It did not become true in time."""


def wait_until(condition: Callable[[], bool], what: str, timeout_s: float = 30) -> None:
    """Return as soon as ``condition()`` holds. Blocks the thread."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise DeadlineError(f"{what}: not within {timeout_s:g} s")
        time.sleep(_INTERVAL_S)


async def eventually(condition: Callable[[], bool], what: str, timeout_s: float = 30) -> None:
    """As ``wait_until``, while the event loop goes on. ``condition`` must not block."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise DeadlineError(f"{what}: not within {timeout_s:g} s")
        await asyncio.sleep(_INTERVAL_S)


async def until(condition: Callable[[], Awaitable[bool]], what: str, timeout_s: float = 60) -> None:
    """As ``eventually``, of a condition that has to be awaited."""
    deadline = time.monotonic() + timeout_s
    while not await condition():
        if time.monotonic() > deadline:
            raise DeadlineError(f"{what}: not within {timeout_s:g} s")
        await asyncio.sleep(_INTERVAL_S)
