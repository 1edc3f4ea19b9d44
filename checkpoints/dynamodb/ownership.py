"""Owning a mirror's checkpoints: only the owner moves the header, and it moves while the owner lives.

No two clocks are compared. Who waits for an owner's end watches whether the header moves, for as long as that owner
said it may rest.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from checkpoints.base import CheckpointError, StoreBusyError
from checkpoints.dynamodb.clock import Clock
from checkpoints.dynamodb.faults import ConditionError, OwnershipLostError
from checkpoints.dynamodb.header import HeaderItem
from checkpoints.dynamodb.items import Header

_RENEWALS = 3
_LOOKS = 12
"""How often an owner renews, and how often a waiting one looks, in one session."""
_REPEATS = 5


class Ownership:
    """What an owner can do, until it leaves or another takes over.

    Each write moves the beat and demands the beat before it. So a call that was given up and lands later undoes
    nothing: not what was written after it, and not what a new owner wrote.
    """

    def __init__(self, item: HeaderItem, ours: Header, clock: Clock) -> None:
        self._item = item
        self._ours = ours
        self._clock = clock
        self._is_current = True
        """False while a call may have moved the beat, or may still do it."""
        self._turn = asyncio.Lock()

    @property
    def fence(self) -> int:
        return self._ours.fence

    async def write(self, writes: Sequence[Mapping[str, object]] = ()) -> None:
        """Make all of ``writes`` or none, and renew. Raises ``OwnershipLostError`` where another has taken over."""
        await self._change(lambda ours: self._item.renew(ours, self._clock.now_ms(), writes))

    async def leave(self) -> None:
        """Let the next owner in at once. Raises ``OwnershipLostError`` where there is one."""
        await self._change(self._item.clear)

    async def renew(self) -> None:
        """Renew until another has taken over, which the next write tells."""
        while True:
            await self._clock.sleep(self._ours.session_ms / 1000 / _RENEWALS)
            try:
                await self.write()
            except OwnershipLostError:
                return
            except CheckpointError:
                # What lasts is told by the next save as well; what passes must not end the ownership.
                continue

    async def _change(self, change: Callable[[Header], Awaitable[None]]) -> None:
        async with self._turn:
            for _ in range(_REPEATS):
                if not self._is_current:
                    await self._look()
                self._is_current = False
                try:
                    await change(self._ours)
                except ConditionError:
                    # A call of ours that was given up has landed, or another has taken over: looking tells.
                    continue
                self._ours = replace(self._ours, beat=self._ours.beat + 1)
                self._is_current = True
                return
        raise CheckpointError(f"write {self._item}", f"{_REPEATS} calls which had been given up came in between")

    async def _look(self) -> None:
        found = await self._item.read()
        if (found.owner, found.fence) != (self._ours.owner, self._ours.fence):
            raise OwnershipLostError(f"write {self._item}", _loss(found), "see that only one process runs this mirror")
        self._ours = found


async def claim(item: HeaderItem, owner: str, session_s: float, clock: Clock) -> Ownership:
    """Become the owner: at once where there is none, after a session of the last one where that was silent so long.

    Raises ``StoreBusyError`` as soon as another owner is seen to live.
    """
    seen = await item.read()
    while True:
        if seen.owner is not None:
            seen = await _silent(item, seen, clock)
        ours = Header(owner, seen.fence + 1, seen.beat + 1, clock.now_ms(), round(session_s * 1000))
        try:
            await item.claim(seen, ours)
        except ConditionError:
            found = await item.read()
            if found.owner == owner:
                # It is ours by a call whose answer was lost and which was repeated.
                return Ownership(item, found, clock)
            _refuse_to_join(item, found)
            seen = found
        else:
            return Ownership(item, ours, clock)


async def _silent(item: HeaderItem, seen: Header, clock: Clock) -> Header:
    """The header once its owner has been silent for its session, or has left."""
    session_s = seen.session_ms / 1000
    since_s = clock.monotonic()
    while clock.monotonic() - since_s < session_s:
        await clock.sleep(session_s / _LOOKS)
        found = await item.read()
        if (found.fence, found.beat) != (seen.fence, seen.beat):
            _refuse_to_join(item, found)
            return found
    return seen


def _refuse_to_join(item: HeaderItem, living: Header) -> None:
    if living.owner is None:
        return
    renewed = datetime.fromtimestamp(living.renewed_ms / 1000, UTC).isoformat(timespec="milliseconds")
    raise StoreBusyError(
        f"own {item}",
        f"{living.owner} owns them, last renewed {renewed} by its clock",
        "stop that process first, or give this mirror another name",
    )


def _loss(found: Header) -> str:
    if found.owner is not None:
        return f"{found.owner} has taken over"
    return "another owner has come and gone" if found.fence else "the header is gone: was the table emptied?"
