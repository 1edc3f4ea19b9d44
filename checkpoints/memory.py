"""Checkpoints that live as long as their object: for demonstrations, tests and simulations."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from types import TracebackType
from typing import Protocol, Self
from zlib import crc32

from checkpoints.base import Checkpoint, CheckpointStore, StoreBusyError
from checkpoints.documents import Document, Documents, checked_name

Fault = Callable[[str], Awaitable[None]]
"""Awaited with ``load``, ``take``, ``save`` or ``delete`` before each operation, and with ``saved`` after a save.

It may wait, to stall the operation, or raise, to fail it: at ``saved`` the checkpoints are written all the same, as
when the answer of a server is lost.
"""


async def no_fault(operation: str) -> None:
    """The fault that never strikes."""


class MemoryCheckpoints(CheckpointStore):
    """Keeps its checkpoints when left, and hands them out again when entered anew, as after a restart."""

    def __init__(self, checkpoints: Mapping[str, Checkpoint] | None = None, *, fault: Fault = no_fault) -> None:
        self._checkpoints = dict(checkpoints or {})
        self._fault = fault
        self._owned = False

    async def __aenter__(self) -> Self:
        if self._owned:
            raise StoreBusyError("own the checkpoints in memory", "another mirror of this process owns them")
        self._owned = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._owned = False

    async def load(self) -> Mapping[str, Checkpoint]:
        await self._fault("load")
        return dict(self._checkpoints)

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        written = dict(checkpoints)
        await self._fault("save")
        self._checkpoints.update(written)
        await self._fault("saved")

    async def delete(self, partitions: Iterable[str]) -> None:
        doomed = tuple(partitions)
        await self._fault("delete")
        for partition in doomed:
            self._checkpoints.pop(partition, None)


class MemorySlots:
    """The checkpoints of one mirror, in slots that its workers share. Outlives their stores."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.checkpoints: dict[str, Checkpoint] = {}
        self._held: dict[SlotChange, asyncio.Event] = {}

    def slot_of(self, partition: str) -> int:
        return crc32(partition.encode()) % self.count

    def hold(self, change: "SlotChange") -> None:
        """``change`` is about to take effect, or not."""
        self._held[change] = asyncio.Event()

    def end(self, change: "SlotChange") -> None:
        """``change`` has taken effect, or never will."""
        if held := self._held.pop(change, None):
            held.set()

    async def settled(self, slots: Collection[int]) -> None:
        """Wait until all is decided that is held in ``slots`` now."""
        for change, ended in list(self._held.items()):
            if not change.slots.isdisjoint(slots):
                await ended.wait()


class SlotChange:
    """Checkpoints that are written at once, with whatever transaction takes them: None forgets one."""

    def __init__(self, shared: MemorySlots, checkpoints: Mapping[str, Checkpoint | None]) -> None:
        self.checkpoints = checkpoints
        self.slots = frozenset(shared.slot_of(partition) for partition in checkpoints)
        self._shared = shared

    def hold(self) -> None:
        """Who reads these slots waits for the end."""
        self._shared.hold(self)

    def end(self, *, committed: bool) -> None:
        """Write them, or not."""
        if committed:
            for partition, checkpoint in self.checkpoints.items():
                self._shared.checkpoints.pop(partition, None)
                if checkpoint is not None:
                    self._shared.checkpoints[partition] = checkpoint
        self._shared.end(self)


class Writer(Protocol):
    """The way of checkpoints into slots."""

    def prepare(self, change: SlotChange) -> Callable[[], Awaitable[None]]:
        """What makes ``change`` take effect, or sees to it that a transaction does: by the member this worker is now.

        Either raises ``FencedError`` where another worker may own a slot meanwhile.
        """


class SharedMemoryCheckpoints(CheckpointStore):
    """One worker's view of slots in memory. Who owns a slot is decided elsewhere; saves are the writer's."""

    def __init__(self, shared: MemorySlots, writer: Writer, *, fault: Fault = no_fault) -> None:
        self._shared = shared
        self._writer = writer
        self._fault = fault

    def slot_of(self, partition: str) -> int:
        return self._shared.slot_of(partition)

    async def load(self) -> Mapping[str, Checkpoint]:
        await self._fault("load")
        await self._shared.settled(range(self._shared.count))
        return dict(self._shared.checkpoints)

    async def take(self, slots: Collection[int]) -> Mapping[str, Checkpoint]:
        await self._fault("take")
        await self._shared.settled(slots)
        every = self._shared.checkpoints
        return {partition: each for partition, each in every.items() if self.slot_of(partition) in slots}

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        write = self._writer.prepare(SlotChange(self._shared, dict(checkpoints)))
        await self._fault("save")
        await write()
        await self._fault("saved")

    async def delete(self, partitions: Iterable[str]) -> None:
        write = self._writer.prepare(SlotChange(self._shared, dict.fromkeys(partitions)))
        await self._fault("delete")
        await write()


class MemoryDocuments(Documents):
    """The documents of one mirror. Those who enter the same object share them."""

    def __init__(self) -> None:
        self._documents: dict[str, Document] = {}

    async def load(self, name: str) -> Document | None:
        return self._documents.get(checked_name(name))

    async def _replace(self, name: str, expected: int | None, document: Document) -> Document | None:
        found = self._documents.get(name)
        if (found and found.version) == expected:
            self._documents[name] = document
        return self._documents.get(name)
