"""Many reports as one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from bridge.engine.status import LATENCY_BOUNDS_S, LaneStatus, Latency, MirrorState, MirrorStatus
from bridge.telemetry.counters import Counts
from bridge.workers.channel import Report

Key = TypeVar("Key")
Number = TypeVar("Number", int, float)

NOTHING = Report(
    MirrorStatus(
        state=MirrorState.STARTING,
        lanes=(),
        records_read=0,
        bytes_read=0,
        records_written=0,
        bytes_written=0,
        records_per_second=0.0,
        skipped={},
        dead_letters={},
        gaps=0,
        buffered_bytes=0,
        latency=Latency((0,) * (len(LATENCY_BOUNDS_S) + 1), 0.0),
    ),
    Counts({}, {}, 0, 0),
)


def merged(
    state: MirrorState, past: Sequence[Report], present: Sequence[Report], left: Iterable[LaneStatus]
) -> MirrorStatus:
    """The mirror as a whole: totals of ended (``past``) and living workers, rate and buffers of the living alone.

    Each partition is there once: where a living worker tells of it, as that one does, of several the last one; else as
    it was ``left``. Where the mirror does not run, the first error of a living worker says why.
    """
    lanes = {lane.partition: lane for lane in left}
    errors = (report.status.error for report in present if report.status.error is not None)
    for report in present:
        lanes |= {lane.partition: lane for lane in report.status.lanes}
    return replace(
        totals([*past, *present]).status,
        state=state,
        error=None if state is MirrorState.RUNNING else next(errors, None),
        lanes=tuple(lanes[partition] for partition in sorted(lanes)),
        records_per_second=sum(report.status.records_per_second for report in present),
        buffered_bytes=sum(report.status.buffered_bytes for report in present),
        buffer_limit_bytes=sum(report.status.buffer_limit_bytes for report in present),
    )


def totals(reports: Sequence[Report]) -> Report:
    """All that ever only grows in ``reports``, added up; nothing else of them."""
    statuses = [report.status for report in (NOTHING, *reports)]
    counts = [report.counts for report in reports]
    return Report(
        replace(
            NOTHING.status,
            records_read=sum(status.records_read for status in statuses),
            bytes_read=sum(status.bytes_read for status in statuses),
            records_written=sum(status.records_written for status in statuses),
            bytes_written=sum(status.bytes_written for status in statuses),
            skipped=_added(status.skipped for status in statuses),
            dead_letters=_added(status.dead_letters for status in statuses),
            gaps=sum(status.gaps for status in statuses),
            latency=Latency(
                tuple(map(sum, zip(*(status.latency.counts for status in statuses), strict=True))),
                sum(status.latency.sum_s for status in statuses),
            ),
        ),
        Counts(
            _added(count.retries for count in counts),
            _added(count.throttled for count in counts),
            sum(count.bytes_before for count in counts),
            sum(count.bytes_after for count in counts),
            _added(count.transform_s for count in counts),
        ),
    )


def _added(counts: Iterable[Mapping[Key, Number]]) -> dict[Key, Number]:
    added: dict[Key, Number] = {}
    for each in counts:
        for key, count in each.items():
            added[key] = added.get(key, 0) + count
    return added
