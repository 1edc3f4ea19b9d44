"""Everything that a process tells, in one place: all who show it show the same."""

from collections.abc import Sequence

from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.parity import ParityCounts
from bridge.telemetry.report import Json, comparison_json, mirror_json, status_json


class Overview:
    """What it returns is of the moment of the call."""

    def __init__(
        self,
        mirrors: Sequence[ObservedMirror],
        comparisons: Sequence[ParityCounts],
        version: str,
        started_ms: int,
        *,
        is_alone: bool = True,
    ) -> None:
        """``mirrors`` may change, unless the process has one for good, which ``is_alone``. It began at ``started_ms``
        since the epoch.
        """
        self._mirrors = mirrors
        self._comparisons = comparisons
        self._version = version
        self._started_ms = started_ms
        self._is_alone = is_alone

    def mirrors(self) -> list[Json]:
        return [mirror_json(mirror, self._version, self._started_ms) for mirror in self._mirrors]

    def comparisons(self) -> list[Json]:
        return [comparison_json(counts) for counts in self._comparisons]

    def status(self) -> Json:
        """What /status answers: of a mirror that is alone its document, of all else lists."""
        if self._is_alone and len(self._mirrors) == 1 and not self._comparisons:
            return self.mirrors()[0]
        return status_json(self.mirrors(), self.comparisons())
