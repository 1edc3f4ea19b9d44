"""Work with an end: a range copied, sent again, compared."""

from bridge.jobs.replay import replay
from bridge.jobs.replay_report import ReplayReport
from bridge.jobs.replay_request import ReplayRequest

__all__ = ["ReplayReport", "ReplayRequest", "replay"]
