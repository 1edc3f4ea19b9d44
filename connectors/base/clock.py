"""The time, as a collaborator."""

import asyncio
import time


class Clock:
    """Wall time, monotonic time and waiting, passed in so that simulations and tests own time."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        """Seconds on a clock that never steps."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
