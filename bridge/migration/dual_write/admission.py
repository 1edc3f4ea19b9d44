"""Which records the spool takes in, and what becomes of the shadow when it is full."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from bridge.migration.dual_write.counts import Tally
from bridge.migration.dual_write.journal_file import Opened
from bridge.migration.dual_write.room import Room
from bridge.migration.dual_write.settings import DualWriteSettings, WhenFull
from bridge.migration.dual_write.stretch import Stretch
from connectors.base import Clock

log = structlog.get_logger(__name__)

MOST_BROKEN = 100_000
"""Keys. More than these and the shadow is cut off as a whole."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """What of a stretch the shadow is to have, and what has to be written down with it."""

    kept: Stretch | None
    content: bytes
    """``kept`` encoded."""
    broken: Sequence[tuple[bytes | None, int]]
    blocked_since: int | None


class Admission:
    """Holds nothing up for longer than the bound, whatever the shadow does."""

    def __init__(self, settings: DualWriteSettings, opened: Opened, room: Room, clock: Clock, tally: Tally) -> None:
        self.held_s = 0.0
        """For how long records have been held up by a full spool, in all."""
        self.broken = dict(opened.broken)
        """Keys of which the shadow gets nothing from a number on."""
        self.blocked_since = opened.blocked_since
        self._settings = settings
        self._room = room
        self._clock = clock
        self._tally = tally
        self._unsaved: list[tuple[bytes | None, int]] = []

    async def admit(self, stretch: Stretch, held_s: float) -> Admitted:
        """``held_s`` is what ``held_s`` of this was when the first record of ``stretch`` was accepted."""
        kept = self._of_whole_keys(stretch)
        content = b"" if kept is None else kept.encoded()
        if kept is not None and not await self._has_room(len(kept), len(content), held_s):
            self._give_up(kept)
            kept, content = None, b""
        self._tally.shadow_skipped += len(stretch) - len(kept or ())
        return Admitted(kept, content, tuple(self._unsaved), self.blocked_since)

    def saved(self) -> None:
        """What was given up is written down."""
        self._unsaved.clear()

    def mend(self) -> None:
        """Nothing is given up any more."""
        self.broken.clear()
        self.blocked_since = None

    def _of_whole_keys(self, stretch: Stretch) -> Stretch | None:
        if self.blocked_since is not None:
            return None
        if not self.broken:
            return stretch
        chosen = [index for index, key in enumerate(stretch.keys) if key not in self.broken]
        return stretch.pick(chosen) if chosen else None

    async def _has_room(self, records: int, size: int, held_s: float) -> bool:
        if self._room.has(records, size):
            return True
        if self._settings.when_full is WhenFull.BREAK_KEYS:
            return False
        begun = self._clock.monotonic()
        try:
            async with asyncio.timeout(max(0.0, self._settings.wait_s - (self.held_s - held_s))):
                while not self._room.has(records, size):
                    await self._room.changed()
        except TimeoutError:
            return False
        finally:
            self.held_s += self._clock.monotonic() - begun
        return True

    def _give_up(self, stretch: Stretch) -> None:
        """The shadow does not get it, nor anything that would follow it there."""
        if self._settings.when_full is WhenFull.BREAK_KEYS:
            new: dict[bytes | None, int] = {}
            for key, number in zip(stretch.keys, stretch.numbers, strict=True):
                new.setdefault(key, number)
            self.broken |= new
            self._unsaved += new.items()
            log.error("the spool is full: the shadow gets nothing more of some keys", keys=len(new))
        if self._settings.when_full is WhenFull.BLOCK_SHADOW or len(self.broken) > MOST_BROKEN:
            self.blocked_since = stretch.first
            log.error("the spool is full: the shadow gets nothing more", since=stretch.first)
