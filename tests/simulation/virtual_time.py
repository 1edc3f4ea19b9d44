"""An event loop whose time passes only by jumping to the next thing that is due, and whose processes can be frozen."""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

from connectors.base import Clock

_START_MS = 1_700_000_000_000

T = TypeVar("T")

PROCESS: ContextVar[str] = ContextVar("process", default="")
"""Who runs: a task and all that comes of it belong to the process in whose context it was made."""


class NothingDueError(Exception):
    """Every task waits for something that will never happen."""


class _JumpingSelector(selectors.SelectSelector):
    """Never waits: what was to be waited is told to ``advance`` instead."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        super().__init__()
        self._advance = advance

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingDueError
        if timeout > 0:
            self._advance(timeout)
        return []


class _Ready(deque[asyncio.Handle]):
    """What is to be called next, but for that of frozen processes."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen: dict[str, list[asyncio.Handle]] = {}

    def append(self, handle: asyncio.Handle) -> None:
        if self.frozen and (kept := self.frozen.get(handle._context.get(PROCESS, ""))) is not None:  # type: ignore[attr-defined]
            kept.append(handle)
        else:
            super().append(handle)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs without input, output or threads; the same program takes the same steps each time."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_JumpingSelector(self._pass))
        self._ready = _Ready()

    def time(self) -> float:
        return self._now_s

    def freeze(self, process: str) -> None:
        """Nothing of ``process`` goes on. What is due for it meanwhile comes when it thaws, as after a SIGSTOP."""
        self._ready.frozen.setdefault(process, [])

    def thaw(self, process: str) -> None:
        for handle in self._ready.frozen.pop(process, ()):
            self._ready.append(handle)

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""

    def _pass(self, seconds: float) -> None:
        self._now_s += seconds


class VirtualClock(Clock):
    """The loop's time as the clock of the code under test."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def now_ms(self) -> int:
        return _START_MS + round(self._loop.time() * 1000)

    def monotonic(self) -> float:
        return self._loop.time()


def run(main: Callable[[VirtualClock], Coroutine[Any, Any, T]]) -> T:
    """Run ``main`` to its end in virtual time. Raises ``NothingDueError`` where real time would hang."""
    loop = VirtualLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(VirtualClock(loop)))
