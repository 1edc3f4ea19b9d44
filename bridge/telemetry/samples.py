"""What a mirror tells at one moment, as numbers with names."""

from collections.abc import Iterator

from bridge.engine.status import DONE, LaneState, MirrorState, MirrorStatus
from bridge.telemetry import names
from bridge.telemetry.counters import Counts
from bridge.telemetry.names import Definition
from bridge.telemetry.observed import ObservedMirror

Sample = tuple[Definition, tuple[str, ...], float]
"""A metric, the values of its own labels, and its value."""


def samples(mirror: ObservedMirror, status: MirrorStatus, now_ms: int) -> Iterator[Sample]:
    """All single numbers of ``mirror``, whose ``status`` is of ``now_ms``. A partition that is done has none."""
    yield from _totals(status)
    yield from _process(mirror, status)
    yield from _lanes(status, now_ms)
    yield from _connectors(mirror.counts())


def _totals(status: MirrorStatus) -> Iterator[Sample]:
    yield names.RECORDS_READ, (), status.records_read
    yield names.BYTES_READ, (), status.bytes_read
    yield names.RECORDS_WRITTEN, (), status.records_written
    yield names.BYTES_WRITTEN, (), status.bytes_written
    yield names.GAPS, (), status.gaps
    yield names.BUFFERED_BYTES, (), status.buffered_bytes
    yield names.BUFFER_LIMIT_BYTES, (), status.buffer_limit_bytes
    for reason, count in status.dead_letters.items():
        yield names.DEAD_LETTER_RECORDS, (reason,), count
    for reason, count in status.skipped.items():
        yield names.SKIPPED_RECORDS, (reason,), count


def _process(mirror: ObservedMirror, status: MirrorStatus) -> Iterator[Sample]:
    for state in MirrorState:
        yield names.STATE, (state.value,), int(state is status.state)
    yield names.HEALTHY, (), int(mirror.trouble() is None)
    yield names.RESTARTS, (), mirror.restarts()


def _lanes(status: MirrorStatus, now_ms: int) -> Iterator[Sample]:
    for state in LaneState:
        yield names.LANES, (state.value,), sum(lane.state is state for lane in status.lanes)
    for lane in status.lanes:
        if lane.state in DONE:
            continue
        yield names.LAG_SECONDS, (lane.partition,), lane.lag_ms / 1000
        if lane.lag_records is not None:
            yield names.LAG_RECORDS, (lane.partition,), lane.lag_records
        if lane.checkpoint_age_ms is not None:
            yield names.CHECKPOINT_AGE_SECONDS, (lane.partition,), lane.checkpoint_age_ms / 1000
        if lane.expires_ms is not None:
            yield names.RETENTION_HEADROOM_SECONDS, (lane.partition,), (lane.expires_ms - now_ms) / 1000


def _connectors(counts: Counts) -> Iterator[Sample]:
    for (operation, reason), count in counts.retries.items():
        yield names.RETRIES, (operation, reason), count
    for operation, count in counts.throttled.items():
        yield names.THROTTLED, (operation,), count
    for step, seconds in counts.transform_s.items():
        yield names.TRANSFORM_SECONDS, (step,), seconds
    if counts.bytes_before:
        yield names.COMPRESSED_RATIO, (), counts.bytes_after / counts.bytes_before
