"""All checks, in the order in which a person reads what they found."""

from bridge.doctor.check import Check
from bridge.doctor.checks.checkpoints import Checkpoints
from bridge.doctor.checks.clocks import Clocks
from bridge.doctor.checks.conflicts import Conflicts
from bridge.doctor.checks.consumers import Consumers
from bridge.doctor.checks.files import DeadLetterFile
from bridge.doctor.checks.identity import Identity
from bridge.doctor.checks.keys import Keys
from bridge.doctor.checks.loops import Loops
from bridge.doctor.checks.order import Order
from bridge.doctor.checks.permissions import CheckpointPermissions, Permissions
from bridge.doctor.checks.read_limits import ReadLimits
from bridge.doctor.checks.readers import Readers
from bridge.doctor.checks.retention import Expiry, Retention
from bridge.doctor.checks.sizes import Sizes
from bridge.doctor.checks.steps import Steps
from bridge.doctor.checks.throughput import Throughput
from bridge.doctor.checks.topics import SinkTopic
from bridge.doctor.scene import Role

CHECKS: tuple[Check, ...] = (
    Clocks(Role.SOURCE),
    Clocks(Role.SINK),
    Permissions(Role.SOURCE),
    Permissions(Role.SINK),
    Permissions(Role.DEAD_LETTER),
    DeadLetterFile(),
    CheckpointPermissions(),
    Order(Role.SOURCE),
    Order(Role.SINK),
    Checkpoints(),
    Identity(),
    Expiry(),
    Retention(),
    Sizes(),
    Steps(),
    SinkTopic(),
    Throughput(),
    Keys(),
    Loops(),
    Conflicts(),
    Consumers(),
    ReadLimits(),
    Readers(),
)
