"""Blocking work beside the event loop, told to stop when nobody waits for it any more."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """Some threads of their own; with one of them work happens in the order in which it was asked for."""

    def __init__(self, count: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name)

    async def run(self, work: Callable[[Event], T]) -> T:
        """The result of ``work``. If this is cancelled the event that it was given is set: it should end soon."""
        stop = Event()
        working = asyncio.get_running_loop().run_in_executor(self._pool, work, stop)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            stop.set()
            raise

    def close(self, last: Callable[[], None] | None = None) -> None:
        """Take no more work. What is under way or waits goes on to its end, and ``last`` comes behind it."""
        if last is not None:
            self._pool.submit(last)
        self._pool.shutdown(wait=False)
