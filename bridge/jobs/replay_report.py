"""What a replay has sent."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum


class Outcome(StrEnum):
    COMPLETE = "complete"
    """All of the range in this partition is durable in the sink."""
    STOPPED = "stopped"
    """It stopped in its midst, behind ``last``."""
    UNBEGUN = "unbegun"
    """None of it was sent."""


@dataclass(frozen=True, slots=True)
class ReplayedPartition:
    partition: str
    outcome: Outcome
    records: int
    last: str | None
    """The last position that is durable in the sink, with all before it; None where there is none."""


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """``records`` are durable in the sink, each at least once, and carry ``kmbridge-replay: id``."""

    id: str
    source: str
    sink: str
    since: str
    until: str
    records: int
    bytes: int
    seconds: float
    skipped: Mapping[str, int]
    """Of the range, and not sent, by reason: those that came from the sink, second copies."""
    dead_letters: Mapping[str, int]
    partitions: tuple[ReplayedPartition, ...]

    @property
    def is_complete(self) -> bool:
        """Whether all of the range was sent."""
        return all(each.outcome is Outcome.COMPLETE for each in self.partitions)

    @property
    def rest(self) -> tuple[str, ...]:
        """Values of ``--from`` with which partitions that stopped go on; the records they name are sent again."""
        stopped = (each for each in self.partitions if each.outcome is Outcome.STOPPED and each.last is not None)
        return tuple(f"{each.partition}/{each.last}" for each in stopped)

    @property
    def unbegun(self) -> tuple[str, ...]:
        """Partitions of which nothing was sent: ``rest`` has none for them, so they take a replay of their own."""
        return tuple(each.partition for each in self.partitions if each.outcome is Outcome.UNBEGUN)

    def to_json(self) -> dict[str, object]:
        return {**asdict(self), "delivery": "at_least_once", "complete": self.is_complete, "rest": list(self.rest)}
