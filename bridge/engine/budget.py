"""The one byte budget that bounds the memory of all lanes of a process."""

import asyncio
from collections import deque

from connectors.base import Budget, Reservation


class ByteBudget(Budget):
    """Grants reservations first come, first served, so that a large one is not starved by small ones."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def reserve(self, size: int) -> Reservation:
        size = min(size, self.limit)
        if self._waiting or self.used + size > self.limit:
            await self._wait(size)
        else:
            self.used += size
        return _Share(self, size)

    def confine(self, limit: int) -> None:
        """Grant up to ``limit`` from now on; what is granted beyond it stays granted."""
        self.limit = limit
        self.change(0)

    def change(self, by: int) -> None:
        """Take or give back bytes of reservations already granted, and grant to those who wait."""
        self.used += by
        while self._waiting:
            size, granted = self._waiting[0]
            if not granted.cancelled():
                # One that is larger than a limit which has shrunk gets its turn once all else is given back.
                if self.used and self.used + size > self.limit:
                    return
                self.used += size
                granted.set_result(None)
            self._waiting.popleft()

    async def _wait(self, size: int) -> None:
        granted = asyncio.get_running_loop().create_future()
        self._waiting.append((size, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.cancelled():
                self.change(0)
            else:
                self.change(-size)
            raise


class _Share(Reservation):
    __slots__ = ("_budget", "_size")

    def __init__(self, budget: ByteBudget, size: int) -> None:
        self._budget: ByteBudget | None = budget
        self._size = size

    def resize(self, size: int) -> None:
        if self._budget is not None:
            change, self._size = size - self._size, size
            self._budget.change(change)

    def grow(self, by: int) -> None:
        self.resize(self._size + by)

    def release(self) -> None:
        if self._budget is not None:
            self._budget.change(-self._size)
            self._budget = None
