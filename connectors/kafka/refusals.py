"""What a broker has refused, so that the same record is not sent to it again."""

from collections.abc import Sequence
from dataclasses import replace

from connectors.base import Batch, Position, Rejected


class Refusals:
    """Single records by topic, lane and position. They are few: each one cost a transaction."""

    def __init__(self) -> None:
        self._known: dict[str, dict[tuple[str, Position], Rejected]] = {}
        """By lane."""

    def add(self, topic: str, lane: str, position: Position, rejected: Rejected) -> None:
        self._known.setdefault(lane, {})[topic, position] = rejected

    def forget(self, lane: str) -> None:
        """Its records are sent again."""
        self._known.pop(lane, None)

    def among(self, topic: str, batch: Batch) -> tuple[Rejected, ...]:
        """Those of ``batch`` that ``topic`` refused before, rising by index."""
        known = self._known.get(batch.partition)
        if not known:
            return ()
        found = ((index, known.get((topic, position))) for index, position in enumerate(batch.positions))
        return tuple(replace(rejected, index=index) for index, rejected in found if rejected is not None)


def together(*findings: Sequence[Rejected]) -> tuple[Rejected, ...]:
    """Several findings about one batch as one, each record once, rising by index."""
    by_index: dict[int, Rejected] = {}
    for rejected in (each for finding in findings for each in finding):
        by_index.setdefault(rejected.index, rejected)
    return tuple(by_index[index] for index in sorted(by_index))
