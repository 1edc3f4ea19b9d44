"""The contract of checks."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from bridge.doctor.scene import Role, Scene
from bridge.findings import Finding, Severity

Findings = Sequence[Finding]


class Check(ABC):
    """One subject. It changes nothing at either end, and reads little there."""

    name: ClassVar[str]
    needs: frozenset[Role] = frozenset()
    """It is skipped where one of these was not reached."""

    @abstractmethod
    async def run(self, scene: Scene) -> Findings:
        """What was found; nothing where there is nothing to look at, as streams where both ends are topics.

        May take as long as it is given and is cancelled then. Raises what looking raises: ``ConnectorError``,
        ``CheckpointError``, ``BridgeError``.
        """

    def ok(self, found: str, reason: str = "") -> Finding:
        """It is as it should be."""
        return Finding(self.name, Severity.OK, found, reason)

    def warning(self, found: str, reason: str, remedy: str) -> Finding:
        """The mirror runs with it, and its operator should know; ``reason`` says what may come of it."""
        return Finding(self.name, Severity.WARNING, found, reason, remedy)

    def failed(self, found: str, reason: str, remedy: str) -> Finding:
        """The mirror cannot go well with it: ``kmbridge doctor`` exits with 1."""
        return Finding(self.name, Severity.FAILED, found, reason, remedy)

    def skipped(self, found: str, reason: str, remedy: str = "") -> Finding:
        """Nobody knows; ``reason`` says why nobody could look."""
        return Finding(self.name, Severity.SKIPPED, found, reason, remedy)


class EndCheck(Check):
    """A check of one end."""

    def __init__(self, role: Role) -> None:
        self.role = role
        self.needs = frozenset({role})


BOTH_ENDS = frozenset({Role.SOURCE, Role.SINK})
