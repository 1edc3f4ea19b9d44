"""Many reports as one."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from bridge.engine.status import LATENCY_BOUNDS_S, LaneState, LaneStatus, Latency, MirrorState, MirrorStatus
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

_TELLING = (LaneState.FAILED, LaneState.HELD, LaneState.PAUSED)
"""States that say more than that the worker is gone."""


def merged(
    state: MirrorState, past: Sequence[Report], present: Sequence[Report], left: Iterable[LaneStatus]
) -> MirrorStatus:
    """The mirror as a whole: totals of ended (``past``) and living workers, rate and buffers of the living alone.

    Each partition is there once: where a living worker tells of it, as that one does; else as it was ``left``.
    """
    lanes = {lane.partition: lane for lane in left}
    for report in present:
        lanes |= {lane.partition: lane for lane in report.status.lanes}
    return replace(
        totals([*past, *present]).status,
        state=state,
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


def left_behind(report: Report, cause: str) -> tuple[LaneStatus, ...]:
    """The lanes of a worker that ended because of ``cause``, as they stand until somebody works on them again.

    Finished ones are gone with their worker, as they are when a mirror starts anew.
    """
    return tuple(
        lane if lane.state in _TELLING else replace(lane, state=LaneState.RETRYING, records_per_second=0.0, error=cause)
        for lane in report.status.lanes
        if lane.state is not LaneState.FINISHED
    )


def by_now(left: Iterable[LaneStatus], now_ms: int) -> Iterator[LaneStatus]:
    """``left`` as they are at ``now_ms``: what nobody works on falls behind as time passes."""
    for lane in left:
        behind_ms = 0 if lane.watermark_ms is None else now_ms - lane.watermark_ms
        yield replace(lane, lag_ms=max(lane.lag_ms, behind_ms))


def _added(counts: Iterable[Mapping[Key, Number]]) -> dict[Key, Number]:
    added: dict[Key, Number] = {}
    for each in counts:
        for key, count in each.items():
            added[key] = added.get(key, 0) + count
    return added
