"""Blocking work in a thread that nobody has to wait for."""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class LeavableThread:
    """Works in the order in which it was asked to. A process may end while it is at work, unlike with an executor's."""

    def __init__(self, name: str) -> None:
        self._queue: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = Thread(target=self._work_all, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """The result of ``work``, to come. Cancelled before its turn it is not done."""
        answer: Future[T] = Future()

        def answered() -> None:
            if not answer.set_running_or_notify_cancel():
                return
            try:
                answer.set_result(work())
            except BaseException as error:  # noqa: BLE001
                # It belongs to whoever asked.
                answer.set_exception(error)

        self._queue.put(answered)
        return answer

    def end(self) -> None:
        """Take no more work: the thread ends behind what it was asked for. Does not wait."""
        self._queue.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait for its end; whether it came. Blocks."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _work_all(self) -> None:
        for work in iter(self._queue.get, None):
            work()
