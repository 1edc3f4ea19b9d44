"""How much of the spool is taken."""

import asyncio

from bridge.migration.dual_write.intent import Intent


class Room:
    """Records and bytes that are journalled and not settled, within both bounds."""

    def __init__(self, most_records: int, most_bytes: int) -> None:
        self._most_records = most_records
        self._most_bytes = most_bytes
        self._freed = asyncio.Event()
        self.records = 0
        self.size = 0
        self.since_ms = 0
        """Nothing in it is older; milliseconds since the epoch."""

    def has(self, records: int, size: int) -> bool:
        """Whether so much more fits in. Something always fits into an empty one."""
        fits = self.records + records <= self._most_records and self.size + size <= self._most_bytes
        return fits or not self.records

    def take(self, records: int, size: int, now_ms: int) -> None:
        """So much is journalled now."""
        if not self.records:
            self.since_ms = now_ms
        self.records += records
        self.size += size

    def give_back(self, intent: Intent) -> None:
        """It is settled, and all before it will be soon."""
        self.records -= intent.records
        self.size -= intent.size
        self.since_ms = max(self.since_ms, intent.journalled_ms)
        self._freed.set()

    async def changed(self) -> None:
        """Wait until something is given back."""
        self._freed.clear()
        await self._freed.wait()
