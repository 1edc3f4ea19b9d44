"""How long both sides have to keep records for a migration to lose none."""

from dataclasses import dataclass

from bridge.planning.backfill import Backfill
from bridge.planning.load import whole

WEEKEND_H = 72
"""So long a mirror may stand still before anybody has mended it."""
_DAY_H = 24
_MOST_H = 8_760


@dataclass(frozen=True, slots=True)
class Retention:
    """Hours."""

    source_now: float | None
    """None: without a limit."""
    source: int
    """What the source needs: the copy, and a weekend beside it."""
    sink: int
    """What the sink needs: as much as the source has or needs, or a backfill copies what goes at once."""
    sink_now: float | None
    """None: without a limit."""

    @property
    def source_is_enough(self) -> bool:
        return self.source_now is None or self.source_now >= self.source

    @property
    def sink_is_enough(self) -> bool:
        return self.sink_now is None or self.sink_now >= self.sink

    def to_json(self) -> dict[str, object]:
        return {
            "source_now_hours": self.source_now,
            "source_needed_hours": self.source,
            "sink_needed_hours": self.sink,
            "sink_now_hours": self.sink_now,
            "enough": self.source_is_enough and self.sink_is_enough,
        }


def retention_for(copying: Backfill, source_now: float | None, sink_now: float | None) -> Retention:
    """In whole days. A copy that never catches up needs the most that Kinesis keeps, and another pace."""
    hours = _MOST_H if copying.hours is None else copying.hours + WEEKEND_H
    source = min(_MOST_H, whole(hours / _DAY_H) * _DAY_H)
    return Retention(source_now, source, max(source, whole(source_now or 0)), sink_now)
