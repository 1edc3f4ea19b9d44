"""The thread in which a step calls what is not async, so that the mirror goes on while that works or waits."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from bridge.coordination.leavable_thread import LeavableThread
from bridge.transforms.patience import Patience

T = TypeVar("T")


class Turns:
    """One call at a time, in the order in which lanes ask."""

    def __init__(self, thread: LeavableThread, patience: Patience) -> None:
        self._thread = thread
        self._patience = patience
        self._turn = asyncio.Lock()

    async def call(self, work: Callable[[], T]) -> T:
        """What ``work`` returns. Raises what it raises, and as ``Patience.wait`` where it takes too long.

        The wait for others' calls is none of this one's time.
        """
        async with self._turn:
            return await self._patience.wait(asyncio.wrap_future(self._thread.submit(work)))
