"""Statuses of mirrors as a test wants them."""

from dataclasses import replace

from bridge.engine.status import LaneState, LaneStatus, Latency, MirrorState, MirrorStatus
from bridge.telemetry.observed import NOT_YET


def lane(partition: str = "shardId-000000000000", state: LaneState = LaneState.RUNNING) -> LaneStatus:
    return LaneStatus(
        partition,
        state,
        position="49590338271490256608559692538361571095921575989136588898",
        lag_ms=1500,
        records_written=40,
        records_per_second=12.345,
        checkpoint_age_ms=250,
        error="key disabled" if state is LaneState.HELD else None,
    )


def status(*lanes: LaneStatus, state: MirrorState = MirrorState.RUNNING) -> MirrorStatus:
    return replace(
        NOT_YET,
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
