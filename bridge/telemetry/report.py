"""The JSON form of what a process tells: /status, the live page and `kmbridge status` all show this one document."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bridge.engine.status import DONE, LaneStatus, MirrorStatus
from bridge.telemetry.counters import Counts
from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.parity import ParityCounts

Json = dict[str, object]


def mirror_json(mirror: ObservedMirror, version: str, started_ms: int) -> Json:
    """One moment of ``mirror``, in a process that began at ``started_ms`` since the epoch."""
    status = mirror.status()
    return {
        "name": mirror.name,
        "version": version,
        "state": status.state.value,
        "error": status.error,
        "source": mirror.source,
        "sink": mirror.sink,
        "started": _time(started_ms),
        "restarts_total": mirror.restarts(),
        **_totals(status),
        **_connectors(mirror.counts()),
        "lag_seconds": lag_ms(status) / 1000,
        "checkpoint_age_seconds": _oldest(status.lanes),
        "job": mirror.job(),
        "cutover": mirror.cutover(),
        "lanes": [_lane_json(lane) for lane in status.lanes],
    }


def comparison_json(counts: ParityCounts) -> Json:
    """What a comparison that goes on has found so far."""
    return {
        "name": counts.mirror,
        "records_total": counts.records,
        "differences": dict(counts.differences),
        "proven": None if counts.proven_ms is None else _time(counts.proven_ms),
    }


def status_json(mirrors: Sequence[Json], comparisons: Sequence[Json]) -> Json:
    """Lists, as a process tells of what it may have several of, and of comparisons."""
    return {"mirrors": list(mirrors), **({"comparisons": list(comparisons)} if comparisons else {})}


def lag_ms(status: MirrorStatus) -> int:
    """How far the lane that is furthest behind is behind."""
    return max((lane.lag_ms for lane in status.lanes if lane.state not in DONE), default=0)


def _totals(status: MirrorStatus) -> Json:
    return {
        "records_total": status.records_written,
        "bytes_total": status.bytes_written,
        "records_per_second": round(status.records_per_second, 1),
        "records_read_total": status.records_read,
        "bytes_read_total": status.bytes_read,
        "buffered_bytes": status.buffered_bytes,
        "gaps_total": status.gaps,
        "skipped": dict(status.skipped),
        "dead_letters": dict(status.dead_letters),
    }


def _connectors(counts: Counts) -> Json:
    return {
        "retries": [
            {"operation": operation, "reason": reason, "total": total}
            for (operation, reason), total in sorted(counts.retries.items())
        ],
        "throttled": dict(sorted(counts.throttled.items())),
    }


def _lane_json(lane: LaneStatus) -> Json:
    return {
        "partition": lane.partition,
        "state": lane.state.value,
        "position": lane.position,
        "lag_seconds": lane.lag_ms / 1000,
        "lag_records": lane.lag_records,
        "records_total": lane.records_written,
        "records_per_second": round(lane.records_per_second, 1),
        "checkpoint_age_seconds": _seconds(lane.checkpoint_age_ms),
        "error": lane.error,
    }


def _oldest(lanes: Iterable[LaneStatus]) -> float | None:
    ages = (lane.checkpoint_age_ms for lane in lanes if lane.state not in DONE)
    return _seconds(max((age for age in ages if age is not None), default=None))


def _seconds(milliseconds: int | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
