"""Checkpoints that live as long as their object: for demonstrations, tests and simulations."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import TracebackType
from typing import Self

from checkpoints.base import Checkpoint, CheckpointStore, StoreBusyError

Fault = Callable[[str], Awaitable[None]]
"""Awaited with ``load``, ``save`` or ``delete`` before each operation, and with ``saved`` when a save has taken effect.

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
