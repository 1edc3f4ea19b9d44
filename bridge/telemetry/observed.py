"""What telemetry sees of a mirror."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.engine.status import MirrorStatus
from bridge.telemetry.counters import Counts

NO_COUNTS = Counts({}, {}, 0, 0)


@dataclass(frozen=True, slots=True)
class ObservedMirror:
    """All is called at each scrape, in the event loop's thread, also before the mirror runs."""

    name: str
    status: Callable[[], MirrorStatus]
    counts: Callable[[], Counts] = lambda: NO_COUNTS
    trouble: Callable[[], str | None] = lambda: None
    """What of the mirror does not work though this process does; None where there is nothing."""
    restarts: Callable[[], int] = lambda: 0
    """How often a worker, or the mirror itself, was started again by this process."""
    source: str = ""
    """Where it reads, as a URL names it, without secrets."""
    sink: str = ""
    """Where it writes, likewise."""
    job: Callable[[], Mapping[str, object] | None] = lambda: None
    """How far a job with an end has come, as JSON has it; None where there is none, or it is not known yet."""
    cutover: Callable[[], Mapping[str, object] | None] = lambda: None
    """Where its migration stands, likewise; None where there is none, or it is not known yet."""
