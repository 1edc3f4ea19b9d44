"""What a mirror needs to be allowed at AWS, and nothing else."""

from bridge.permissions.parts import Parts, parts_of
from bridge.permissions.places import Surroundings
from bridge.permissions.policy import Policy, Statement
from bridge.permissions.tasks import Task, policy_for

__all__ = ["Parts", "Policy", "Statement", "Surroundings", "Task", "parts_of", "policy_for"]
