"""How far the old consumer has come: which records of its side it has processed, and where the others begin."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from bridge.migration.leases.lease import LeaseCheckpoint, Processed, Sentinel
from bridge.parity.lineage import Lineage
from connectors.base import Partition, Place, Position


class Extent(Enum):
    """What a consumer has processed of a partition."""

    NONE = auto()
    SOME = auto()
    ALL = auto()


class Progress(ABC):
    """Of one consumer, in the partitions of one side."""

    def __init__(self, lineage: Lineage) -> None:
        self.lineage = lineage

    @abstractmethod
    def extent(self, partition: str) -> Extent:
        """What of ``partition`` is processed, also where nobody has heard of it."""

    @abstractmethod
    def has_processed(self, partition: str, position: Position) -> bool:
        """Whether the record at ``position`` is processed."""

    @abstractmethod
    def resume(self, partition: str, beginning: Place) -> Place:
        """From where everything is read that is not processed, of a partition in which that is something.

        The last record that is processed is read too where that shows that nothing behind it is lost.
        """

    @abstractmethod
    def until(self, partition: str) -> Position:
        """At or behind the last processed record, and before any that is read later; of ``Extent.SOME``."""


class GroupProgress(Progress):
    """Of a Kafka group: ``offsets`` are those that it reads next, by partition. Without one nothing is processed."""

    def __init__(self, offsets: Mapping[str, int]) -> None:
        super().__init__(Lineage())
        self._offsets = offsets

    def extent(self, partition: str) -> Extent:
        return Extent.SOME if self._offsets.get(partition, 0) else Extent.NONE

    def has_processed(self, partition: str, position: Position) -> bool:
        return int(position) < self._offsets.get(partition, 0)

    def resume(self, partition: str, beginning: Place) -> Place:
        offset = self._offsets.get(partition, 0)
        return Place(str(offset - 1)) if offset else beginning

    def until(self, partition: str) -> Position:
        return str(self._offsets[partition] - 1)


@dataclass(frozen=True, slots=True)
class Before:
    """Every record of a shard up to the one at ``position`` is processed, that one not included."""

    position: Position

    @property
    def sequence(self) -> int:
        return int(self.position.partition("#")[0])


Mark = LeaseCheckpoint | Before


class ApplicationProgress(Progress):
    """Of a KCL application: ``marks`` are the checkpoints of its leases, none of them at an unknown time.

    Leases are deleted once the shard is processed and its children have begun, and are made a moment after the shard.
    """

    def __init__(self, marks: Mapping[str, Mark], listed: Iterable[Partition]) -> None:
        listed = tuple(listed)
        super().__init__(Lineage(listed))
        self._marks = marks
        self._listed = {shard.id for shard in listed}

    def extent(self, partition: str) -> Extent:
        match self._marks.get(partition):
            case Processed() | Before():
                return Extent.SOME
            case Sentinel.SHARD_END:
                return Extent.ALL
            case None:
                return self._without_lease(partition)
            case _:
                return Extent.NONE

    def has_processed(self, partition: str, position: Position) -> bool:
        sequence, _, sub = position.partition("#")
        # KCL counts the user records of what is no aggregate as well: there is number 0.
        place = (int(sequence), int(sub or 0))
        match self._marks.get(partition):
            case Processed(last, last_sub):
                return place <= (int(last), last_sub)
            case Before(following):
                return place < (int(following.partition("#")[0]), int(following.partition("#")[2] or 0))
            case _:
                return self.extent(partition) is Extent.ALL

    def resume(self, partition: str, beginning: Place) -> Place:
        match self._marks.get(partition):
            case Processed(sequence):
                return Place(f"{sequence}#-1")
            case Before() as mark:
                return Place(f"{mark.sequence}#-1")
            case _:
                return beginning

    def until(self, partition: str) -> Position:
        match self._marks[partition]:
            case Processed(sequence):
                # All of an aggregate: which of its records are processed is told one by one.
                return sequence
            case Before() as mark:
                return str(mark.sequence)
            case mark:
                raise ValueError(f"{partition} is at {mark}")

    def _without_lease(self, shard: str) -> Extent:
        if shard not in self._listed:
            # It has expired: what it held is processed, or nobody can process it any more.
            return Extent.ALL
        begun = (self._marks.get(child, Sentinel.TRIM_HORIZON) for child in self.lineage.descendants(shard))
        is_past = any(mark is not Sentinel.TRIM_HORIZON for mark in begun)
        return Extent.ALL if is_past else Extent.NONE
