"""An event loop whose time passes only by jumping to the next thing that is due."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from connectors.base import Clock

_START_MS = 1_700_000_000_000

T = TypeVar("T")


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


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs without input, output or threads; the same program takes the same steps each time."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_JumpingSelector(self._pass))

    def time(self) -> float:
        return self._now_s

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
