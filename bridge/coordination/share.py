"""What a worker owns, followed from change to change."""

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from bridge.coordination.base import Owner
from connectors.base import ConnectorError


class ChangeKind(Enum):
    ASSIGNED = "assigned"
    REVOKED = "revoked"
    LOST = "lost"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Change:
    kind: ChangeKind
    slots: frozenset[int] = frozenset()
    handled: "Future[None]" = field(default_factory=Future)
    error: ConnectorError | None = None


class Share:
    """What is assigned to this worker, and how much of it the owner has taken."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._assigned: set[int] = set()
        self._taken: set[int] = set()
        self._taking: asyncio.Task[None] | None = None

    @property
    def owned(self) -> int:
        """How many slots are this worker's."""
        return len(self._assigned)

    async def follow(self, changes: "asyncio.Queue[Change]", heard: Callable[[Change], None]) -> None:
        """Act on changes, one after the other; a ``take`` that is under way makes room for the next."""
        while True:
            change = await self._next(changes)
            await self._interrupt()
            if change.error is not None:
                raise change.error
            try:
                await self._apply(change)
            finally:
                if not change.handled.done():
                    change.handled.set_result(None)
            heard(change)
            untaken = self._assigned - self._taken
            # Whoever lost its slots does not know yet what it owns next: that it owns nothing is news of others.
            if untaken or change.kind is not ChangeKind.LOST:
                self._taking = asyncio.create_task(self._take(untaken), name="take slots")

    async def close(self) -> None:
        await self._interrupt()

    async def _next(self, changes: "asyncio.Queue[Change]") -> Change:
        """The next change; raises what taking slots raised meanwhile."""
        getting = asyncio.create_task(changes.get())
        try:
            while not getting.done():
                waiting: set[asyncio.Task[Any]] = {getting}
                if self._taking is not None:
                    waiting.add(self._taking)
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if self._taking is not None and self._taking.done():
                    taking, self._taking = self._taking, None
                    taking.result()
            return getting.result()
        finally:
            getting.cancel()

    async def _apply(self, change: Change) -> None:
        if change.kind is ChangeKind.ASSIGNED:
            self._assigned |= change.slots
            return
        self._assigned -= change.slots
        self._taken -= change.slots
        if change.kind is ChangeKind.REVOKED:
            await self._owner.give_up(change.slots)
        else:
            await self._owner.lose(change.slots)

    async def _take(self, slots: Collection[int]) -> None:
        await self._owner.take(slots)
        self._taken |= set(slots)

    async def _interrupt(self) -> None:
        taking, self._taking = self._taking, None
        if taking is not None:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
