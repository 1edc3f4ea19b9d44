"""What all lanes of a mirror share."""

from dataclasses import dataclass

from bridge.engine.bounded import BoundedSource
from bridge.engine.dead_letter import DeadLetter
from bridge.engine.delivery import Delivery
from bridge.engine.policy import Policy
from bridge.engine.totals import Totals
from bridge.engine.tracing import Tracer
from connectors.base import Budget, Clock, Sink
from connectors.transform import Transform


@dataclass(frozen=True, slots=True)
class Surroundings:
    source: BoundedSource
    """Ends where a lane's bound does."""
    destination: Sink
    delivery: Delivery
    dead_letter: DeadLetter | None
    budget: Budget
    policy: Policy
    totals: Totals
    clock: Clock
    tracer: Tracer
    transform: Transform | None
