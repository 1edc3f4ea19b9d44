"""How a lane fares."""

from dataclasses import dataclass

from bridge.engine.status import LaneState
from connectors.base import ConnectorError


@dataclass(slots=True)
class Condition:
    """Shared by all that works on one lane; changed only in the event loop."""

    state: LaneState = LaneState.WAITING
    error: ConnectorError | None = None
    """The trouble that the lane is in; None once something was settled since."""
