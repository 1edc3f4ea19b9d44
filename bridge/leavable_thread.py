"""Blocking work in a thread that nobody has to wait for."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class LeavableThread:
    """Works in the order in which it was asked to. A process may end while it is at work, unlike with an executor's."""

    def __init__(self, name: str) -> None:
        self._queue: SimpleQueue[_Task[Any] | None] = SimpleQueue()
        self._thread = Thread(target=self._work_all, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """The result of ``work``, to come. Cancelled before its turn it is not done."""
        task = _Task(work)
        self._queue.put(task)
        return task.answer

    def end(self) -> None:
        """Take no more work: the thread ends behind what it was asked for. Does not wait."""
        self._queue.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; whether it came. Blocks."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work_all(self) -> None:
        for task in iter(self._queue.get, None):
            task.do()
            # While the next one is awaited, nothing here may keep what it was about.
            del task


class _Task(Generic[T]):
    """Lets go of its work once that is done, or cancelled: the thread may come to it late, or never."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.answer: Future[T] = Future()
        self._work: Callable[[], T] | None = work
        self.answer.add_done_callback(self._let_go)

    def do(self) -> None:
        work = self._work
        if not self.answer.set_running_or_notify_cancel() or work is None:
            return
        try:
            self.answer.set_result(work())
        except BaseException as error:  # noqa: BLE001
            # It belongs to whoever asked.
            self.answer.set_exception(error)

    def _let_go(self, _: Future[T]) -> None:
        self._work = None
