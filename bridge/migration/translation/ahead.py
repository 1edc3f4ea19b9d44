"""What the old consumer has not processed, looked at from where it stands and no further than it takes."""

from collections.abc import Collection
from dataclasses import dataclass, field

from bridge.migration.log import Log
from bridge.migration.translation.progress import Extent, Progress
from bridge.migration.translation.sighting import Sighting, sightings
from bridge.parity.lineage import Lineage
from connectors.base import End, GapError, Place, Position


@dataclass(slots=True)
class Ahead:
    """What lies ahead in one partition of the old side."""

    last: Sighting | None = None
    """The last processed record, where the consumer's place is one that is read again."""
    first: Sighting | None = None
    """The first unread record; None where there is none."""
    native: Sighting | None = None
    """The first one that did not come from the other side."""
    copies: dict[str, Position] = field(default_factory=dict)
    """Of each partition of the other side the first record of which an unread copy is here."""
    keeps_time: bool = True
    """Whether copies have the times by which these records are found."""
    lost: GapError | None = None
    """Set where the place of the consumer has expired, and perhaps records behind it."""
    met_ms: int = 0
    """When the last one arrived that tells something new."""


@dataclass(frozen=True, slots=True)
class LookAhead:
    """Looks at one partition after the other."""

    old: Log
    new: Log
    progress: Progress
    there: Collection[str]
    """The partitions of the other side."""
    lineage: Lineage
    """Of these."""
    margin_ms: int
    expects_copies: bool
    """Whether copies follow for sure where none is met for a while."""

    async def at(self, partition: str, beginning: Place, end: End) -> Ahead:
        """Raises what reading raises, but for ``GapError``."""
        found = Ahead()
        if self.progress.extent(partition) is Extent.ALL:
            return found
        try:
            await self._read(found, partition, self.progress.resume(partition, beginning), end)
        except GapError as gap:
            found.lost = gap
        return found

    async def _read(self, found: Ahead, partition: str, place: Place, end: End) -> None:
        async with self.old.reading(partition, place, end) as batches:
            async for batch in batches:
                for each in sightings(batch, self.old.address, self.new.address):
                    if self.progress.has_processed(partition, each.position):
                        found.last = each
                    else:
                        self._meet(found, each)
                if found.first is not None and self._is_enough(found, batch.arrived_ms[-1]):
                    return

    def _meet(self, found: Ahead, each: Sighting) -> None:
        if found.first is None:
            found.first, found.met_ms = each, each.time_ms
        if each.origin is None:
            found.native = found.native or each
            found.keeps_time = found.keeps_time and each.keeps_time
            return
        there, rank = each.origin, self.new.rank
        known = found.copies.get(there.partition)
        if known is None or rank(there.position) < rank(known):
            found.copies[there.partition] = there.position
            found.met_ms = each.time_ms

    def _is_enough(self, found: Ahead, read_ms: int) -> bool:
        """Whether no copy that follows can be of an earlier record than those which are known.

        Copies of one partition come in its order, and those of its descendants behind them; into a stream some keys
        may overtake others for a while.
        """
        if read_ms <= found.met_ms + self.margin_ms:
            return False
        if not found.copies:
            return not self.expects_copies
        return all(self._is_met(found, partition) for partition in self.there)

    def _is_met(self, found: Ahead, partition: str) -> bool:
        return partition in found.copies or not self.lineage.descendants(partition).isdisjoint(found.copies)
