"""The contract of checkpoint stores.

A store belongs to one mirror, by name, and holds one checkpoint a partition. It knows nothing of sources or sinks:
positions are opaque text.

Where several workers share a mirror, partitions belong to *slots*, and each slot to one worker at a time. Whoever
owns a slot writes the checkpoints in it. A store for one worker has one slot, 0.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import ClassVar, Self


@dataclass(frozen=True, slots=True)
class Gap:
    """A loss that the operator accepted, by a setting or by an order: what lies between two places was not mirrored."""

    lost_from: str
    lost_to: str
    cause: str
    noticed_ms: int
    records: int | None = None
    """Those at the source that an operator let a lane pass, from the position ``lost_from`` to ``lost_to``, both
    included; None where the source itself had lost them.
    """


@dataclass(frozen=True, slots=True)
class Bound:
    """What a job with an end has to copy of one partition, frozen when the job began.

    ``since`` and ``until`` are the range as it was asked for. It holds what follows ``begin``, a position or None for
    the partition's beginning, as far as ``end``, a position, and what arrived up to ``end_ms``; of two ends the first
    that is met. ``records`` are those of it that are copied, up to the position of the checkpoint that this is part of.
    ``is_reached``: nothing of it is left.
    """

    since: str
    until: str
    begin: str | None
    end: str | None
    end_ms: int | None
    records: int = 0
    is_reached: bool = False


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far one partition is mirrored: everything at or before ``position`` is durable in the sink.

    ``position`` None is before the first record. ``watermark_ms`` is explained in ``connectors.base``.
    ``source`` and ``sink`` are the identities of the two ends when this was saved; empty where unknown.

    ``unsettled_ms``: nothing behind ``position`` reached the sink before this time, by the sink's clock, but something
    may have later; None where nothing has, or the sink does not tell. ``window`` names the last records before
    ``position`` by their origins, as text that only the engine reads. ``bound`` belongs to the last job with an end.
    ``paused_ms`` is when an operator paused the partition; None: nothing keeps it from being mirrored.
    """

    position: str | None
    watermark_ms: int | None
    finished: bool
    saved_ms: int
    source: str
    sink: str
    gaps: tuple[Gap, ...] = ()
    unsettled_ms: int | None = None
    window: str = ""
    bound: Bound | None = None
    paused_ms: int | None = None


class CheckpointReader(ABC):
    """Sees a mirror's checkpoints. Reading never disturbs a running mirror."""

    @abstractmethod
    async def load(self) -> Mapping[str, Checkpoint]:
        """All checkpoints by partition id, as of one moment; empty for a mirror that never ran."""


class CheckpointStore(CheckpointReader):
    """Owns a mirror's checkpoints while entered, or the slots that were taken: nobody else can write them meanwhile.

    Entering a store for one worker raises ``StoreBusyError`` when another process owns it.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the ownership up."""

    async def forgets(self) -> bool:
        """Whether there may have been checkpoints where ``load`` finds none, and nobody has deleted them.

        A consumer group's offsets expire. Raises as ``load``.
        """
        return False

    def slot_of(self, partition: str) -> int:
        """The slot of a partition, the same for the life of the store. Valid once entered."""
        return 0

    async def take(self, slots: Collection[int]) -> Mapping[str, Checkpoint]:
        """The checkpoints in ``slots``, which this worker owns from now on: complete, nothing of a former owner's
        comes later.

        Waits for what a former owner has under way, or ends it.
        """
        return await self.load()

    @abstractmethod
    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """Write these, all or none; others stay as they are.

        Durable on return, also across kill -9; or with the transaction that the store was made to write into.
        Raises ``FencedError`` where another worker owns a slot meanwhile.
        """

    @abstractmethod
    async def delete(self, partitions: Iterable[str]) -> None:
        """Forget these, all or none. Unknown ones are no error."""


class CheckpointError(Exception):
    """The root of what stores raise: what was tried, what happened, what a person can do."""

    retriable: ClassVar[bool] = True

    def __init__(self, operation: str, cause: str, hint: str = "") -> None:
        super().__init__(operation, cause, hint)
        self.operation = operation
        self.cause = cause
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.operation}: {self.cause}"
        return f"{text} ({self.hint})" if self.hint else text


class StoreBusyError(CheckpointError):
    """Another process owns these checkpoints. Stop it first."""

    retriable = False


class FencedError(CheckpointError):
    """Another worker has taken over what this one owned. Nothing was written; stop those lanes."""


class StoreUnreachableError(CheckpointError):
    """The place where checkpoints are kept does not answer. Fatal at start, tried again later in a run."""


class StoreRefusedError(CheckpointError):
    """The place where checkpoints are kept answered and will not let us. A person must act."""

    retriable = False


class StoreSettingsError(CheckpointError):
    """The place where checkpoints are to be kept cannot be one. A setting must be changed."""

    retriable = False


class StoreFormatError(CheckpointError):
    """What is stored was written by a newer version or is not ours. It is left as it is."""

    retriable = False
