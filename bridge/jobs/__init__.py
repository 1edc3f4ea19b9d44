"""Work with an end: a range copied, sent again, compared. ``point`` makes the ends of a range of their texts."""

from bridge.jobs.backfill import backfill
from bridge.jobs.backfill_report import BackfillReport
from bridge.jobs.backfill_request import BackfillRequest
from bridge.jobs.replay import replay
from bridge.jobs.replay_report import ReplayReport
from bridge.jobs.replay_request import ReplayRequest
from bridge.jobs.span import Point, point

__all__ = [
    "BackfillReport",
    "BackfillRequest",
    "Point",
    "ReplayReport",
    "ReplayRequest",
    "backfill",
    "point",
    "replay",
]
