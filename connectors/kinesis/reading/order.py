"""Streams that have no order."""

from connectors.base import GapError, Place
from connectors.kinesis.summary import Summary
from connectors.times import iso


class OrderGuard:
    """Stops each lane once when its stream sends records to any shard, whatever their key.

    Reading again from the place offered with the error means that the operator accepts it, until the stream orders
    records by key again.
    """

    def __init__(self) -> None:
        self._offered: dict[str, Place] = {}
        self._accepted: set[str] = set()

    def enter(self, shard: str, after: Place) -> None:
        """A lane begins to read."""
        if self._offered.pop(shard, None) == after:
            self._accepted.add(shard)

    def check(self, shard: str, place: Place, summary: Summary, server_ms: int) -> None:
        """Raises ``GapError`` where the order behind ``place`` is lost and nobody accepted that."""
        if not summary.automatic:
            self._accepted.discard(shard)
        elif shard not in self._accepted:
            self._offered[shard] = place
            raise GapError(
                f"read shard {shard} of {summary.arn}",
                "its record distribution strategy is AUTO: records of one key go to any shard, so their order is lost",
                "set it to USER_PARTITION_KEY, or accept it with on_gap: continue",
                lost_from=iso(place.watermark_ms) if place.watermark_ms is not None else "the beginning",
                lost_to=iso(server_ms),
                resume=place,
            )
