"""Reading slots to their true end, whatever former owners have under way there."""

import logging
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from checkpoints.kafka.document import Author
from checkpoints.kafka.former_owners import FormerOwners
from checkpoints.kafka.group_offsets import GroupOffsets
from checkpoints.kafka.slot_log import Reading, SlotLog
from checkpoints.kafka.threads import Threads

# A little more than a healthy transaction takes; then it is asked who holds the slots up.
_PATIENCE_S = 0.5

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Wait:
    """One reading that may have to wait."""

    slots: frozenset[int]
    warned_at: float
    ended: set[Author] = field(default_factory=set)


class Takeover:
    """Waits for transactions of the living and ends those of the dead, so that what is read is complete.

    Everything blocking happens in ``thread``, in steps of about a second, so that nothing waits for long behind it.
    """

    def __init__(
        self, thread: Threads, log: SlotLog, offsets: GroupOffsets, former: FormerOwners, session_timeout_s: float
    ) -> None:
        self._thread = thread
        self._log = log
        self._offsets = offsets
        self._former = former
        self._session_timeout_s = session_timeout_s

    async def take(self, slots: Collection[int]) -> Reading:
        """What ``slots`` hold now that nobody else may write there, and nothing of a former owner comes later."""
        wait = self._wait(slots)
        while not await self._thread.run(lambda _stop: self._offsets.are_settled(slots, _PATIENCE_S)):
            ends = await self._ends(slots)
            visible = await self._read(ends, 0)
            await self._unblock(visible, ends, wait)
        return await self._complete(wait)

    async def read(self, slots: Collection[int]) -> Reading:
        """What was committed in ``slots`` before now."""
        return await self._complete(self._wait(slots))

    async def look(self, slots: Collection[int]) -> Reading:
        """What can be seen in ``slots`` without waiting for anybody."""
        return await self._read(await self._ends(slots), 0)

    def _wait(self, slots: Collection[int]) -> _Wait:
        return _Wait(frozenset(slots), time.monotonic() + self._session_timeout_s)

    async def _complete(self, wait: _Wait) -> Reading:
        # These ends stay, however much others write meanwhile: a busy topic is never without open transactions.
        ends = await self._ends(wait.slots)
        while True:
            reading = await self._read(ends, _PATIENCE_S)
            if not reading.held:
                return reading
            await self._unblock(reading, {slot: ends[slot] for slot in reading.held}, wait)

    async def _ends(self, slots: Collection[int]) -> Mapping[int, int]:
        return await self._thread.run(lambda _stop: self._log.ends(slots))

    async def _read(self, ends: Mapping[int, int], patience_s: float) -> Reading:
        return await self._thread.run(lambda stop: self._log.read(ends, patience_s, stop))

    async def _unblock(self, reading: Reading, ends: Mapping[int, int], wait: _Wait) -> None:
        """End what the dead among those who wrote to the slots of ``ends`` may have open, each once in one wait."""
        hidden = await self._thread.run(lambda stop: self._log.hidden_authors(ends, stop))
        suspects = hidden.union(*(reading.authors[slot] for slot in ends))
        wait.ended |= await self._former.end(suspects - wait.ended)
        if time.monotonic() > wait.warned_at:
            wait.warned_at = time.monotonic() + self._session_timeout_s
            await self._thread.run(lambda _stop: _warn(ends, hidden))


def _warn(slots: Iterable[int], writers: Iterable[Author]) -> None:
    names = ", ".join(sorted(author.writer for author in writers)) or "unknown"
    where = ", ".join(map(str, sorted(slots)))
    log.warning("slots %s of the checkpoint topic wait for an open transaction of: %s", where, names)
