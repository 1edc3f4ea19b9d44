"""Time, as far as owning a mirror takes some."""

from typing import Protocol


class Clock(Protocol):
    """Passed in so that tests own time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""

    async def sleep(self, seconds: float) -> None: ...
