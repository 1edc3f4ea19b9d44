"""What producers write to a side, listened to from a recorded end on."""

from dataclasses import dataclass

from bridge.migration.gates.scene import Scene, Side
from bridge.migration.measures.arrivals import Arrival
from bridge.migration.measures.ends import Ends
from connectors.counted import counted


@dataclass(frozen=True, slots=True)
class Heard:
    count: int
    last: Arrival | None
    until: Ends
    """As far as it was listened to; behind it the next time begins."""

    @property
    def told(self) -> str:
        """How many, for a person."""
        return counted(self.count, "record")

    @property
    def place(self) -> str:
        """Of the last one, for a person."""
        return "" if self.last is None else f"the last one at {self.last.partition}/{self.last.position}"


async def heard(scene: Scene, side: Side, since: Ends) -> Heard:
    """All that was produced to ``side`` behind ``since``, however much a mirror has written there meanwhile."""
    found = Heard(0, None, since)
    while True:
        more = await scene.arrivals(side, found.until)
        found = Heard(found.count + more.count, more.last or found.last, more.until)
        if more.is_whole:
            return found


async def has_produced(scene: Scene, side: Side, since: Ends) -> bool:
    """Whether anything was produced to ``side`` behind ``since``. Reads no further than to the first sign of it."""
    until = since
    while True:
        more = await scene.arrivals(side, until)
        if more.count or more.is_whole:
            return more.count > 0
        until = more.until
