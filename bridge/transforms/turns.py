"""The thread in which a step calls what is not async, so that the mirror goes on while that works or waits."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from bridge.leavable_thread import LeavableThread
from bridge.transforms.patience import Patience

T = TypeVar("T")


class Turns:
    """One call at a time, in the order in which lanes ask."""

    def __init__(self, thread: LeavableThread, patience: Patience) -> None:
        self._thread = thread
        self._patience = patience
        self._begun_s = 0.0
        """When the last call began, by the monotonic clock."""

    async def call(self, work: Callable[[], T]) -> T:
        """What ``work`` returns. Raises what it raises, and ``TransientError`` where it takes too long.

        The wait for others' calls is none of this one's time, unless one of them does not end either.
        """
        call = self._thread.submit(partial(self._begun, work))
        answer = asyncio.wrap_future(call)
        try:
            left_s = self._patience.timeout_s
            while left_s > 0:
                if (await asyncio.wait([answer], timeout=left_s))[0]:
                    return answer.result()
                patience_s = self._patience.timeout_s if call.running() else 2 * self._patience.timeout_s
                left_s = self._begun_s + patience_s - time.monotonic()
            if call.running() or not self._begun_s:
                raise self._patience.over()
            raise self._patience.behind(time.monotonic() - self._begun_s)
        finally:
            answer.cancel()

    def _begun(self, work: Callable[[], T]) -> T:
        self._begun_s = time.monotonic()
        return work()
