"""What an examination came to."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from bridge.findings import Finding, Severity

REACHABILITY = "reachability"


@dataclass(frozen=True, slots=True)
class DoctorReport:
    """Of one mirror."""

    mirror: str
    findings: tuple[Finding, ...]

    @property
    def is_reached(self) -> bool:
        """Whether every end was reached."""
        return not any(each.check == REACHABILITY for each in self.failed)

    @property
    def failed(self) -> tuple[Finding, ...]:
        """Those with which the mirror cannot go well."""
        return tuple(each for each in self.findings if each.severity is Severity.FAILED)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many findings there are of each severity."""
        found = Counter(each.severity for each in self.findings)
        return {severity.value: found[severity] for severity in Severity}

    def to_json(self) -> dict[str, object]:
        """As ``kmbridge doctor --json`` prints it."""
        return {
            "mirror": self.mirror,
            "healthy": not self.failed,
            "counts": self.counts,
            "findings": [asdict(each) for each in self.findings],
        }
