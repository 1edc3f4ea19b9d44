"""The way of a migration."""

from bridge.migration.gates.scene import Scene
from bridge.migration.steps.backfilled import Backfilled
from bridge.migration.steps.barrier import Barrier
from bridge.migration.steps.caught_up import CaughtUp
from bridge.migration.steps.consumers_moved import ConsumersMoved
from bridge.migration.steps.finished import Finished
from bridge.migration.steps.mirrored_back import MirroredBack
from bridge.migration.steps.preflight import Preflight
from bridge.migration.steps.producers_moved import ProducersMoved
from bridge.migration.steps.producers_stopped import ProducersStopped
from bridge.migration.steps.step import Step
from bridge.migration.steps.verified import Verified
from bridge.migration.steps.verified_again import VerifiedAgain

STEPS: tuple[type[Step], ...] = (
    Preflight,
    Backfilled,
    CaughtUp,
    Verified,
    ConsumersMoved,
    ProducersStopped,
    Barrier,
    ProducersMoved,
    MirroredBack,
    VerifiedAgain,
    Finished,
)
"""In an order that keeps every key in order and every record for both kinds of consumers."""


def path(scene: Scene) -> tuple[Step, ...]:
    """All steps, in their order."""
    return tuple(step(scene) for step in STEPS)
