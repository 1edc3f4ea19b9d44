"""Statuses of mirrors as a test wants them."""

from dataclasses import replace

from bridge.engine.status import LATENCY_BOUNDS_S, LaneState, LaneStatus, Latency, MirrorState, MirrorStatus

STARTING = MirrorStatus(
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
)
"""Of a mirror whose two sides are not reached yet."""


def lane(partition: str = "shardId-000000000000", state: LaneState = LaneState.RUNNING) -> LaneStatus:
    return LaneStatus(
        partition,
        state,
        position="49590338271490256608559692538361571095921575989136588898",
        lag_ms=1500,
        lag_records=7,
        records_written=40,
        records_per_second=12.345,
        checkpoint_age_ms=250,
        error="key disabled" if state is LaneState.HELD else None,
    )


def status(*lanes: LaneStatus, state: MirrorState = MirrorState.RUNNING) -> MirrorStatus:
    return replace(
        STARTING,
        state=state,
        lanes=lanes,
        records_read=44,
        bytes_read=4400,
        records_written=40,
        bytes_written=4000,
        records_per_second=12.345,
        skipped={"loop": 3},
        dead_letters={"too_large": 1},
        gaps=2,
        buffered_bytes=400,
        latency=Latency((5, 0, 10, *(0,) * 11, 1), 401.5),
    )
