"""What telemetry sees of a mirror."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.engine.status import MirrorStatus
from bridge.telemetry.counters import Counters


@dataclass(frozen=True, slots=True)
class ObservedMirror:
    """``status`` is called at each scrape, in the event loop's thread, also before the mirror runs."""

    name: str
    status: Callable[[], MirrorStatus]
    counters: Counters = field(default_factory=Counters)
