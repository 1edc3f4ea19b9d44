"""What a translation came to."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from bridge.migration.translation.request import Direction


@dataclass(frozen=True, slots=True)
class TranslatedPartition:
    """Of the side to which the consumer moves."""

    partition: str
    place: str
    """The offset that is read next; or the checkpoint of a lease: ``SEQUENCE#SUBSEQUENCE``, which is processed,
    ``TRIM_HORIZON`` or ``SHARD_END``.
    """
    again: int
    """Records that the old consumer has processed and the new one will see again."""
    others: int
    """Records just before the place that the old consumer never had: others', or left out by the mirror."""
    former: str | None = None
    """What the group had committed; None where that is nothing."""


@dataclass(frozen=True, slots=True)
class TranslationGap:
    """Records that the old consumer has not processed and the new one will not see: they are not on its side."""

    partition: str
    """Of the old side."""
    lost_from: str
    """The first one, or where the old consumer stands; ``lost_to`` is what they end before."""
    lost_to: str
    cause: str


@dataclass(frozen=True, slots=True)
class TranslateReport:
    """``stream`` and ``topic`` are addresses. ``approximate`` says why the old consumer may not stand still; a place
    read from it is where it was, at some moment.
    """

    direction: Direction
    application: str
    group: str
    stream: str
    topic: str
    partitions: tuple[TranslatedPartition, ...]
    gaps: tuple[TranslationGap, ...]
    approximate: tuple[str, ...]
    is_applied: bool
    stream_records: int
    """Read of the stream to find the places; ``topic_records`` likewise."""
    topic_records: int

    @property
    def again(self) -> int:
        """Records that will be seen again, in all partitions."""
        return sum(each.again for each in self.partitions)

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "again": self.again}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "TranslateReport":
        """What ``to_json`` gave. Raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
        rest = {name: value for name, value in document.items() if name not in _COMPOSED}
        return cls(
            direction=Direction(document["direction"]),
            partitions=tuple(TranslatedPartition(**each) for each in document["partitions"]),
            gaps=tuple(TranslationGap(**each) for each in document["gaps"]),
            approximate=tuple(document["approximate"]),
            **rest,
        )


_COMPOSED = {"direction", "partitions", "gaps", "approximate", "again"}
