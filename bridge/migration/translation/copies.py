"""What the old consumer has processed shortly before where it stands."""

from dataclasses import dataclass, field

from bridge.migration.log import Log
from bridge.migration.translation.progress import Extent, Progress
from bridge.migration.translation.sighting import Sighting, sightings
from connectors.base import End, Partition, Place, Position


@dataclass(slots=True)
class Processed:
    """Of all partitions of the old side, since some time."""

    copies: dict[str, set[Position]] = field(default_factory=dict)
    """Records of the other side, by its partitions, of which a copy is processed here."""
    natives: dict[str, list[Sighting]] = field(default_factory=dict)
    """Those that did not come from there, by partition, in its order."""


@dataclass(frozen=True, slots=True)
class LookBack:
    """Looks at one partition after the other."""

    old: Log
    new: Log
    progress: Progress

    async def at(self, found: Processed, partition: Partition, place: Place, end: End) -> None:
        """Add what is processed of ``partition`` behind ``place`` to ``found``. Raises what reading raises."""
        name = partition.id
        match self.progress.extent(name):
            case Extent.NONE:
                return
            case Extent.SOME:
                end = End(self.progress.until(name), end.time_ms)
        async with self.old.reading(name, place, end) as batches:
            async for batch in batches:
                for each in sightings(batch, self.old.address, self.new.address):
                    if self.progress.has_processed(name, each.position):
                        self._add(found, name, each)

    def _add(self, found: Processed, partition: str, each: Sighting) -> None:
        if each.origin is None:
            found.natives.setdefault(partition, []).append(each)
        else:
            found.copies.setdefault(each.origin.partition, set()).add(each.origin.position)
