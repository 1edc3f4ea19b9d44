"""The contract of what makes other records of a lane's records, between source and sink.

A *part* is one of several records that were made of one source record. Parts have its position and stand together, so
that a lane never goes on between them: a source record is written whole, dropped whole, or rejected whole.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from connectors.base import Batch, Rejected


@dataclass(frozen=True, slots=True)
class Transformed:
    """What was made of one batch."""

    batch: Batch
    """Of the same partition, place and reservation; positions in the same order, each repeated for the parts of a split
    and missing for what was dropped or rejected. ``parts`` stays as it was given: the chain numbers them.
    """
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Records of the given batch that were left out on purpose, counted by a short word for metrics: ``filter``."""
    rejected: tuple[Rejected, ...] = ()
    """Records of the given batch, by their index there, of which nothing can be made, now or later; rising."""


class Transform(ABC):
    """One step. An async context that owns what it opens; entering checks what can be checked before the first record.

    Entering raises ``UnreachableError``, ``RefusedError`` or ``SettingsError``, with what is wrong and what to do.
    """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what was opened."""

    @property
    @abstractmethod
    def name(self) -> str:
        """For a person and for metrics: ``python my_module:function``."""

    def at_work(self, partition: str) -> str:
        """The name of what has the batch of ``partition`` now, where several steps are one."""
        return self.name

    def look_again(self) -> None:
        """Ask anew, at the next batch, for what was missing when it was asked for: a person may have put it there."""

    @abstractmethod
    async def apply(self, batch: Batch) -> Transformed:
        """What goes on instead of ``batch``, which has at least one record and is never changed.

        Called by one lane with its batches in order, each after the one before is answered, and by several lanes at
        the same time. After a fault it is called again with records that it had before, in other batches. It may be
        cancelled at any await. Raises a retriable ``ConnectorError`` where the same may succeed later (the lane tries
        again from where it stands), and ``RefusedError`` where a person must act (the lane is held); nothing passes
        unchanged for a fault.
        """
