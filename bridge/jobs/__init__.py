"""Work with an end: a range copied, sent again, compared."""

from bridge.jobs.backfill import backfill
from bridge.jobs.backfill_report import BackfillReport
from bridge.jobs.backfill_request import BackfillRequest
from bridge.jobs.replay import replay
from bridge.jobs.replay_report import ReplayReport
from bridge.jobs.replay_request import ReplayRequest

__all__ = ["BackfillReport", "BackfillRequest", "ReplayReport", "ReplayRequest", "backfill", "replay"]
