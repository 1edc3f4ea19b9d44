"""Lines to standard output from an event loop that must never wait for whoever reads them."""

import asyncio
import os
import select
import sys
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial

import structlog

from bridge.leavable_thread import LeavableThread

MOST_BYTES = 8 * 2**20
"""What may wait for a reader that does not read."""

_LEAVE_S = 2.0

log = structlog.get_logger(__name__)


class Output:
    """Writes in a thread of its own. What cannot be written, or has waited behind too much, is left out, and told."""

    def __init__(self, descriptor: int) -> None:
        """``descriptor`` stays the caller's."""
        self.lost = 0
        """Lines that were left out."""
        self._descriptor = descriptor
        self._thread = LeavableThread("metrics")
        self._waiting: deque[tuple[Future[None], int, int]] = deque()
        """Blocks of lines that are not known to be written, with their lines and bytes."""
        self._told = 0

    def write(self, lines: Sequence[bytes]) -> None:
        """Have ``lines`` written, all or none, unless too much waits already. Returns at once."""
        cause = self._settle()
        block = b"".join(line + b"\n" for line in lines)
        if sum(size for _, _, size in self._waiting) + len(block) > MOST_BYTES:
            self.lost += len(lines)
            cause = "nobody reads them"
        else:
            written = self._thread.submit(partial(_write_all, self._descriptor, block))
            self._waiting.append((written, len(lines), len(block)))
        if self.lost > self._told:
            log.warning("metrics are not written to standard output", lines_lost=self.lost, cause=cause)
            self._told = self.lost

    async def leave(self) -> bool:
        """Give what waits a moment to be written, and no more; whether the descriptor is free again."""
        self._thread.end()
        return await asyncio.to_thread(self._thread.join, _LEAVE_S)

    def _settle(self) -> str | None:
        """Forget what is written; why the last of the rest was not."""
        cause = None
        while self._waiting and self._waiting[0][0].done():
            written, lines, _ = self._waiting.popleft()
            error = written.exception()
            if error is not None:
                self.lost += lines
                cause = str(error)
        return cause


def standard_output() -> int | None:
    """A descriptor of its own for standard output; None where it was closed before the process began.

    Its number might be a socket's then.
    """
    return None if sys.__stdout__ is None else os.dup(sys.__stdout__.fileno())


def _write_all(descriptor: int, block: bytes) -> None:
    left = memoryview(block)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            # Whoever made the pipe may have made it one that refuses instead of waiting.
            select.select([], [descriptor], [])
