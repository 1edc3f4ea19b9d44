"""Telling a run to stop, at whatever point it is."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Halt:
    """While the ends of a run are being reached, a halt just ends that; once it is under way, it is drained."""

    def __init__(self, drain: Callable[[], None]) -> None:
        self.is_asked = False
        self._drain = drain
        self._opening: asyncio.Task[object] | None = None

    def ask(self) -> bool:
        """Halt; whether it is asked for the first time. Again, it does nothing."""
        if self.is_asked:
            return False
        self.is_asked = True
        if self._opening is not None:
            self._opening.cancel()
        else:
            self._drain()
        return True

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Around a run, which begins with its opening: a halt before ``under_way`` leaves it without an error."""
        self._opening = task = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError:
            # Others may have cancelled the task as well, and a task group or a time-out must not see what was ours.
            if task is None or self._opening is None or not self.is_asked or task.uncancel():
                raise
        finally:
            self._opening = None

    def under_way(self) -> None:
        """From now on a halt drains."""
        self._opening = None
