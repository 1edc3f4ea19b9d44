"""A dual writer for applications without an event loop."""

import asyncio
from collections.abc import Coroutine, Iterable
from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from types import TracebackType
from typing import Any, Self, TypeVar

from bridge.migration.dual_write.counts import DualWriteCounts
from bridge.migration.dual_write.errors import ClosedError
from bridge.migration.dual_write.intake import Written
from bridge.migration.dual_write.settings import DualWriteSettings
from bridge.migration.dual_write.writer import DualWriter
from connectors.base import Header, Observer

T = TypeVar("T")


class BlockingDualWriter:
    """``DualWriter`` with a loop and a thread of its own, to be called from any threads but those of event loops.

    Entering and leaving block as the asynchronous one's wait, and raise the same.
    """

    def __init__(
        self, settings: DualWriteSettings, *, observer: Observer | None = None, most_waiting: int = 10_000
    ) -> None:
        """``most_waiting`` records may have no answer; ``submit`` blocks beyond that."""
        self._settings = settings
        self._observer = observer
        self._room = BoundedSemaphore(most_waiting)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None
        self._writer: DualWriter | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="dual writer", daemon=True)
        self._thread.start()
        writer = DualWriter(self._settings, observer=self._observer)
        try:
            self._run(writer.__aenter__())
        except BaseException:
            self._end()
            raise
        self._writer = writer
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        writer, self._writer = self._entered, None
        try:
            self._run(writer.__aexit__(kind, error, trace))
        finally:
            self._end()

    def submit(
        self,
        key: bytes | None,
        value: bytes | None,
        *,
        headers: Iterable[Header] = (),
        timestamp_ms: int | None = None,
    ) -> "Future[Written]":
        """As ``DualWriter.send``. Records of a key that one thread submits stand in the order of its calls."""
        writer = self._entered
        self._room.acquire()
        answer = self._started(writer.send(key, value, headers=tuple(headers), timestamp_ms=timestamp_ms))
        answer.add_done_callback(lambda _: self._room.release())
        return answer

    def send(
        self,
        key: bytes | None,
        value: bytes | None,
        *,
        headers: Iterable[Header] = (),
        timestamp_ms: int | None = None,
        timeout_s: float | None = None,
    ) -> Written:
        """As ``DualWriter.send``. Raises ``TimeoutError`` after ``timeout_s``, and the record may be written then."""
        return self.submit(key, value, headers=headers, timestamp_ms=timestamp_ms).result(timeout_s)

    def swap(self, *, timeout_s: float = 60.0, pause_s: float = 5.0) -> None:
        """As ``DualWriter.swap``."""
        self._run(self._entered.swap(timeout_s=timeout_s, pause_s=pause_s))

    def mend(self) -> None:
        """As ``DualWriter.mend``."""
        self._run(self._entered.mend())

    def counts(self) -> DualWriteCounts:
        """As ``DualWriter.counts``."""
        return self._entered.counts()

    @property
    def _entered(self) -> DualWriter:
        if self._writer is None:
            raise ClosedError("use the writer", "it is not entered", "with BlockingDualWriter(…) as writer")
        return self._writer

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._started(work).result()

    def _started(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        if self._loop is None:
            work.close()
            raise ClosedError("use the writer", "it is not entered")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _end(self) -> None:
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None
