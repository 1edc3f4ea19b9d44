"""What the shadow is to get, in order: the oldest in memory as far as there is room, the rest in the file."""

import asyncio
from collections import deque

from bridge.migration.dual_write.intent import Intent
from bridge.migration.dual_write.journal import Journal

MEMORY = 32 * 2**20
"""Bytes that wait in memory."""
CHUNK = 8 * 2**20
"""Bytes that are read from the file at once."""


class Owed:
    """Intents enter it when they are made, and come out in this order once the authority has answered them."""

    def __init__(self, journal: Journal, last: int) -> None:
        """``last`` names the last intent that an earlier life left; 0: none."""
        self._journal = journal
        self._expected: deque[int] = deque()
        """Intents without an answer, and those behind them."""
        self._answers: dict[int, Intent] = {}
        """Those of ``_expected`` that have one."""
        self._ready: deque[Intent] = deque()
        self._bytes = 0
        self._last = last
        """Up to there all are answered."""
        self._cursor = 0
        """The last one that came out."""
        self._is_spilled = last > 0
        """Whether the file holds some that come out behind those in memory."""
        self._added = asyncio.Event()

    def expect(self, first: int) -> None:
        """An intent was made."""
        self._expected.append(first)

    def answer(self, intent: Intent) -> None:
        """The authority has answered it: its stretch is what is left of it."""
        self._answers[intent.first] = intent
        while self._expected and self._expected[0] in self._answers:
            self._add(self._answers.pop(self._expected.popleft()))

    def rewind(self) -> None:
        """All that is not settled comes out again, from the oldest on."""
        self._ready.clear()
        self._bytes = 0
        self._cursor, self._is_spilled = 0, self._last > 0

    async def next(self) -> Intent:
        """Waits for one. Raises ``SpoolError``."""
        while not self._ready:
            if self._is_spilled:
                await self._read()
            else:
                self._added.clear()
                await self._added.wait()
        intent = self._ready.popleft()
        self._bytes -= intent.size
        self._cursor = intent.first
        return intent

    def _add(self, intent: Intent) -> None:
        self._last = intent.first
        if self._is_spilled or (self._ready and self._bytes + intent.size > MEMORY):
            self._is_spilled = True
        else:
            self._ready.append(intent)
            self._bytes += intent.size
        self._added.set()

    async def _read(self) -> None:
        until = self._last
        found = await self._journal.owed(self._cursor, until, CHUNK)
        self._ready.extend(found)
        self._bytes = sum(intent.size for intent in found)
        if not found:
            self._cursor = until
        reached = found[-1].first if found else until
        # Others may have been answered while the file was read: these are behind it.
        self._is_spilled = reached < self._last
