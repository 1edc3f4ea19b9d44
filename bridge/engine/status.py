"""What a running mirror tells about itself: plain values, taken as one snapshot, for metrics and /status alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from checkpoints.base import Bound

LATENCY_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the latency histogram's buckets; one more bucket holds what is above the last."""


class LaneState(StrEnum):
    WAITING = "waiting"
    """Its parents are not finished."""
    RUNNING = "running"
    RETRYING = "retrying"
    """A fault of the moment; it goes on by itself."""
    HELD = "held"
    """A person must act (permissions, keys); looked at again now and then."""
    PAUSED = "paused"
    """An operator said so; it goes on when told to, by whoever works on it then."""
    FAILED = "failed"
    """Stopped at a gap or a rejected record, as policy says, or by a fault that no retry mends; the others go on.

    An operator can let it try again, or pass.
    """
    COMPLETE = "complete"
    """All of its part of a job with an end is durable; more of the partition is not asked for."""
    FINISHED = "finished"


DONE = (LaneState.COMPLETE, LaneState.FINISHED)
"""Lanes in one of these have nothing left to be behind."""

ENDED = (*DONE, LaneState.FAILED)
"""Lanes in one of these read no more."""

HALTED = (LaneState.RETRYING, LaneState.HELD, LaneState.PAUSED, LaneState.FAILED)
"""Lanes in one of these do not read, though the partition may go on."""


class MirrorState(StrEnum):
    STARTING = "starting"
    RUNNING = "running"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LaneStatus:
    partition: str
    state: LaneState
    position: str | None
    """Everything at or before it is durable in the sink."""
    lag_ms: int
    """How far what is durable is behind the partition's tip: at the most while the lane does not read, and at the least
    where it never knew.
    """
    lag_records: int | None
    """How many records lie behind the last one read; None where the source cannot count them."""
    records_written: int
    records_per_second: float
    checkpoint_age_ms: int | None
    """Time since the stored checkpoint last covered all that was read; None before the first."""
    error: str | None
    watermark_ms: int | None = None
    """All that arrived before it is durable."""
    expires_ms: int | None = None
    """The source keeps all that is not durable until then, by its clock; None where that is not known."""
    bound: Bound | None = None
    """What a job with an end has to copy here, and has copied up to ``position``."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Time from arrival at the source to durable in the sink, of every record."""

    counts: tuple[int, ...]
    """Records a bucket of ``LATENCY_BOUNDS_S``, not cumulative; the last one is above every bound."""
    sum_s: float


@dataclass(frozen=True, slots=True)
class MirrorStatus:
    """One moment of a mirror. Totals count from the process's start and only grow."""

    state: MirrorState
    lanes: tuple[LaneStatus, ...]
    """Lanes that are not finished, and those that finished since the start, by partition id."""
    records_read: int
    bytes_read: int
    records_written: int
    bytes_written: int
    records_per_second: float
    skipped: Mapping[str, int]
    """Records left out on purpose, by reason."""
    dead_letters: Mapping[str, int]
    """Records in the dead letter, by reason."""
    gaps: int
    buffered_bytes: int
    latency: Latency
    buffer_limit_bytes: int = 0
    """``buffered_bytes`` at the most."""
    error: str | None = None
    """Why the mirror as a whole does not run, where that may pass by itself; None otherwise."""
