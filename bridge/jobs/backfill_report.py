"""What a backfill has copied."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum

from checkpoints.base import Bound, Checkpoint
from connectors.times import iso


class Verdict(StrEnum):
    COMPLETE = "complete"
    """Exactly the range is durable in the sink."""
    INTERRUPTED = "interrupted"
    """It was told to stop before; the same command goes on."""


@dataclass(frozen=True, slots=True)
class BackfilledPartition:
    """``since`` is the position that the range follows, None the partition's beginning. ``until`` is its end: a
    position, or a time, and what arrived up to then is in the range.
    """

    partition: str
    since: str | None
    until: str
    records: int
    """Of the range, in the sink: those that were skipped or dead-lettered are not counted."""
    is_complete: bool


@dataclass(frozen=True, slots=True)
class BackfillReport:
    """The same however often the job was interrupted on its way, but for the last two."""

    name: str
    since: str
    """As it was asked for, when the job began; so is ``until``."""
    until: str
    verdict: Verdict
    partitions: tuple[BackfilledPartition, ...]
    was_done: bool
    """Whether there was nothing to do."""
    seconds: float

    @property
    def records(self) -> int:
        return sum(each.records for each in self.partitions)

    @property
    def is_complete(self) -> bool:
        return self.verdict is Verdict.COMPLETE

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "records": self.records}


def partitions(stored: Mapping[str, Checkpoint]) -> tuple[BackfilledPartition, ...]:
    """The partitions of the job to which these checkpoints belong, by their names."""
    return tuple(
        _partition(name, checkpoint, checkpoint.bound)
        for name, checkpoint in sorted(stored.items())
        if checkpoint.bound is not None
    )


def _partition(name: str, checkpoint: Checkpoint, bound: Bound) -> BackfilledPartition:
    is_complete = bound.is_reached or checkpoint.finished
    return BackfilledPartition(name, bound.begin, _end(bound), bound.records, is_complete)


def _end(bound: Bound) -> str:
    if bound.end_ms is None:
        return bound.end or ""
    return iso(bound.end_ms)
