"""The JSON form of a mirror's status."""

from bridge.engine.status import LaneStatus, MirrorStatus

Json = dict[str, object]


def mirror_json(name: str, version: str, status: MirrorStatus) -> Json:
    return {
        "name": name,
        "version": version,
        "state": status.state.value,
        "records_total": status.records_written,
        "bytes_total": status.bytes_written,
        "records_per_second": round(status.records_per_second, 1),
        "error": status.error,
        "lanes": [_lane_json(lane) for lane in status.lanes],
    }


def _lane_json(lane: LaneStatus) -> Json:
    return {
        "partition": lane.partition,
        "state": lane.state.value,
        "position": lane.position,
        "lag_seconds": lane.lag_ms / 1000,
        "records_total": lane.records_written,
        "records_per_second": round(lane.records_per_second, 1),
        "error": lane.error,
    }
