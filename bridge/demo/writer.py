"""Writes the workload at its pace while the mirror runs."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Event

from bridge.demo.workload import Workload

_A_CALL = 200

Send = Callable[[Sequence[tuple[str, bytes]]], None]
"""Writes keys and values in their order, and returns when they are there. Blocks. Raises ``BridgeError``."""


class Writer:
    """One call after the other, in a thread."""

    def __init__(self, opened: AbstractContextManager[Send], workload: Workload, per_second: float) -> None:
        """Writes at most ``per_second`` records a second. ``opened`` is entered by the thread: it may block."""
        self._opened = opened
        self._workload = workload
        self._per_second = per_second
        self.written = 0
        self.written_bytes = 0
        self.started_ns = 0
        """When the first record was sent."""
        self._stop = Event()

    async def run(self) -> None:
        """Returns when everything is written. Cancelling it ends it after the call under way."""
        try:
            await asyncio.to_thread(self._write)
        finally:
            self._stop.set()

    def _write(self) -> None:
        with self._opened as send:
            self.started_ns = time.time_ns()
            for numbers in self._workload.calls(_A_CALL):
                due_s = self.started_ns / 1e9 + self.written / self._per_second
                if self._stop.wait(max(due_s - time.time(), 0)):
                    return
                records = [(self._workload.key(number), self._workload.value(number)) for number in numbers]
                send(records)
                self.written += len(records)
                self.written_bytes += sum(len(value) for _, value in records)
