"""What looking at something came to, and what to do about it: shared by all that look before anything is moved."""

from dataclasses import dataclass
from enum import StrEnum

from bridge.errors import BridgeError
from checkpoints.base import CheckpointError
from connectors.base import ConnectorError

LookError = (BridgeError, ConnectorError, CheckpointError)
"""What looking at an end, or at checkpoints, raises."""


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """A person may go on with it, and should know."""
    FAILED = "failed"
    """With it the work cannot go well."""
    SKIPPED = "skipped"
    """It could not be looked at, or was not tried, and ``reason`` says why."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One of them. All texts are for a person; ``remedy`` is empty where there is nothing to do."""

    check: str
    """What was looked at, by its short name."""
    severity: Severity
    found: str
    reason: str = ""
    """Why that is good or bad, or why nobody looked."""
    remedy: str = ""

    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{self.check}: {self.found}{why}{remedy}"


def failure(
    check: str, error: BridgeError | ConnectorError | CheckpointError, severity: Severity = Severity.FAILED
) -> Finding:
    """The failure of looking, where that is what was found."""
    return Finding(check, severity, error.operation, error.cause, error.hint)
