"""How far a mirror has come in its source, by its own checkpoints."""

from collections.abc import Mapping

from bridge.migration.log import Log
from bridge.migration.sides import of_these
from bridge.migration.translation.sighting import Sighting
from checkpoints.base import Checkpoint
from connectors.base import Place


class Reach:
    """Without checkpoints nothing is known, and what the two sides hold has to tell."""

    def __init__(self, source: Log, sink: Log, checkpoints: Mapping[str, Checkpoint]) -> None:
        """Checkpoints of other streams or topics, which had the same names, tell nothing."""
        self._source = source
        self._checkpoints = of_these(checkpoints, source, sink)

    @property
    def is_known(self) -> bool:
        return bool(self._checkpoints)

    def covers(self, partition: str, record: Sighting) -> bool:
        """Whether the mirror is past ``record``: it is in the sink, or left out."""
        found = self._checkpoints.get(partition)
        if found is None:
            return False
        if found.finished or self._arrived_before(found, record):
            return True
        rank = self._source.rank
        return found.position is not None and rank(record.position) <= rank(found.position)

    def behind(self, partition: str) -> Place | None:
        """Everything before it is mirrored. None: where the partition begins, as far as that is known."""
        found = self._checkpoints.get(partition)
        if found is None:
            return None
        return Place(found.position, found.watermark_ms if self._source.tells_arrivals else None)

    def _arrived_before(self, found: Checkpoint, record: Sighting) -> bool:
        watermark_ms = found.watermark_ms
        return self._source.tells_arrivals and watermark_ms is not None and record.time_ms < watermark_ms
