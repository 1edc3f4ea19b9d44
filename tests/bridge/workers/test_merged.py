"""Reports of several workers as metrics of one mirror."""

from dataclasses import replace

from bridge.engine.left import by_now, left_behind
from bridge.engine.status import LaneState, MirrorState
from bridge.telemetry.counters import Counts
from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.samples import samples
from bridge.workers.channel import Report
from bridge.workers.merged import NOTHING, merged
from tests.bridge.telemetry.statuses import lane, status

NO_COUNTS = Counts({}, {}, 0, 0)


def report(*states: tuple[str, LaneState]) -> Report:
    lanes = [lane(partition, state) for partition, state in states]
    return Report(replace(status(*lanes), buffer_limit_bytes=1000), NO_COUNTS)


def partitions(past: list[Report], present: list[Report]) -> set[str]:
    """Those of which a series is told."""
    left = [each for ended in past for each in left_behind(ended.status.lanes, "SIGKILL")]
    whole = merged(MirrorState.RUNNING, past, present, left)
    told = samples(ObservedMirror("orders", lambda: whole), whole, 0)
    return {labels[0] for definition, labels, _ in told if definition.labels == ("partition",)}


def test_a_partition_that_any_worker_has_finished_has_no_series() -> None:
    """Its children have theirs, whichever worker has them."""
    first = report(("parent", LaneState.FINISHED), ("other", LaneState.RUNNING))
    second = report(("child", LaneState.RUNNING))
    assert partitions([], [first, second]) == {"other", "child"}


def test_a_worker_that_ended_leaves_series_of_what_is_still_to_do_and_no_others() -> None:
    """What it had finished does not come back with it, what it worked on stays in sight."""
    ended = report(("parent", LaneState.FINISHED), ("other", LaneState.RUNNING))
    assert partitions([ended], [report(("child", LaneState.RUNNING))]) == {"other", "child"}


def test_why_the_whole_does_not_run_is_told_and_of_a_running_one_nothing() -> None:
    """One worker of several that its group has lost is no error of the mirror."""
    lost = Report(replace(report().status, state=MirrorState.STARTING, error="lost"), NO_COUNTS)
    assert merged(MirrorState.STARTING, [], [report(), lost], ()).error == "lost"
    assert merged(MirrorState.RUNNING, [], [report(), lost], ()).error is None


def test_the_limit_of_the_buffer_is_that_of_all_who_live() -> None:
    """As what is in it: a share of one to the other says how full it is."""
    whole = merged(MirrorState.RUNNING, [report()], [report(), report()], ())
    assert (whole.buffered_bytes, whole.buffer_limit_bytes) == (800, 2000)
    assert NOTHING.status.buffer_limit_bytes == 0


def test_what_nobody_works_on_falls_behind_as_time_passes() -> None:
    """The lag is not what it was when its worker told of it last; of a lane that knew no time nothing else is known."""
    told = [replace(lane("known"), lag_ms=5, watermark_ms=1_000), replace(lane("new"), lag_ms=5, watermark_ms=None)]
    assert [each.lag_ms for each in by_now(told, 1_002)] == [5, 5]
    assert [each.lag_ms for each in by_now(told, 601_000)] == [600_000, 5]
