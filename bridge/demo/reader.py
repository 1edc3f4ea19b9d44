"""Reads one end along while the demo runs, as any other consumer would."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import TracebackType
from typing import Self

from bridge.demo.workload import sent_ns
from bridge.parity.run import Run


class Reader(ABC):
    """Reads from the beginning while entered, in a thread of its own."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self._count = 0
        self.latencies_ns: list[int] = []
        """From the sending of each record to its arrival here."""
        self.last_ns = 0
        """When the latest record arrived."""
        self._last_call = Event()
        self._stop = Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")
        self._reading: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        self._reading = asyncio.get_running_loop().run_in_executor(self._thread, self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._reading is not None:
            await asyncio.wait([self._reading])
        self._thread.shutdown(wait=False)

    @property
    def arrived(self) -> int:
        """Records read so far. Raises what reading ended with, if it did."""
        if self._reading is not None and self._reading.done():
            self._reading.result()
        return self._count

    async def rest(self) -> Sequence[Run]:
        """Everything that is there, once it is read to where it ends now. Nobody may be writing any more."""
        if self._reading is None:
            raise RuntimeError("the reader is not entered")
        self._last_call.set()
        await asyncio.shield(self._reading)
        return self._runs

    @abstractmethod
    def _read(self) -> None:
        """Give ``_take`` all that comes until ``_last_call`` is set, then the rest; return at once on ``_stop``."""

    def _take(self, run: Run) -> None:
        self.last_ns = time.time_ns()
        self._runs.append(run)
        self._count += len(run)
        self.latencies_ns += [self.last_ns - sent_ns(value) for value in run.values if value is not None]
