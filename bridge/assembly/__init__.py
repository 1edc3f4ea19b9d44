"""From a configuration to a mirror with all it needs: the one place that knows which class is which."""

from bridge.assembly.halt import Halt
from bridge.assembly.mirror import Assembly, Job, assemble, policy_of
from bridge.assembly.opening import reached

__all__ = ["Assembly", "Halt", "Job", "assemble", "policy_of", "reached"]
