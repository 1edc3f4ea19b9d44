"""What telemetry sees of a mirror."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.engine.status import LATENCY_BOUNDS_S, Latency, MirrorState, MirrorStatus
from bridge.telemetry.counters import Counters

NOT_YET = MirrorStatus(
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
"""The status of a mirror whose two sides are not reached yet."""


@dataclass(frozen=True, slots=True)
class ObservedMirror:
    """``status`` is called at each scrape, in the loop's thread. Before there is a mirror it tells ``NOT_YET``."""

    name: str
    status: Callable[[], MirrorStatus]
    counters: Counters = field(default_factory=Counters)
