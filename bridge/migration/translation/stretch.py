"""What stands in one partition of the new side around the place that is looked for."""

from collections.abc import Collection
from dataclasses import dataclass, field

from bridge.migration.translation.log import Log
from bridge.migration.translation.progress import Progress
from bridge.migration.translation.sighting import Sighting, sightings
from connectors.base import End, Place, Position


@dataclass(slots=True)
class Stretch:
    """``met`` is all that stands behind ``place``, as far as anything processed may stand there."""

    place: Place
    met: list[Sighting] = field(default_factory=list)


class Settling:
    """Follows the reading of a stretch, to tell when nothing that is processed can follow.

    Copies of one partition come in its order, and those of its descendants behind them; into a stream some keys may
    overtake others for a while.
    """

    def __init__(
        self, progress: Progress, touched: Collection[str], copied: Collection[Position], margin_ms: int
    ) -> None:
        """``touched`` are the partitions of the old side of which something is processed, ``copied`` the records of
        this partition that are.
        """
        self._progress = progress
        self._touched = touched
        self._left = set(copied)
        """Of ``copied``, those that are still to come."""
        self._passed: set[str] = set()
        """Partitions of the old side of which a record is met that is not processed."""
        self._met: set[str] = set()
        """Those of which any is."""
        self._has_unread = False
        self._since_ms: int | None = None
        self._margin_ms = margin_ms

    def meet(self, each: Sighting) -> None:
        if each.origin is None:
            self._has_unread = self._has_unread or each.position not in self._left
            self._left.discard(each.position)
            return
        self._met.add(each.origin.partition)
        if not self._progress.has_processed(each.origin.partition, each.origin.position):
            self._has_unread = True
            self._passed.add(each.origin.partition)

    def is_over(self, read_ms: int) -> bool:
        """Whether what follows a record of that time is not processed, as far as order tells."""
        if not (self._has_unread and not self._left and self._are_passed()):
            self._since_ms = None
            return False
        if self._since_ms is None:
            self._since_ms = read_ms
        return read_ms > self._since_ms + self._margin_ms

    def _are_passed(self) -> bool:
        if not self._met:
            return True
        descendants = self._progress.lineage.descendants
        return all(each in self._passed or not descendants(each).isdisjoint(self._met) for each in self._touched)


async def read_stretch(new: Log, old: str, partition: str, place: Place, end: End, settling: Settling) -> Stretch:
    """Raises what reading raises. ``old`` is the address of the other side."""
    found = Stretch(place)
    async with new.reading(partition, place, end) as batches:
        async for batch in batches:
            for each in sightings(batch, new.address, old):
                found.met.append(each)
                settling.meet(each)
            if settling.is_over(batch.arrived_ms[-1]):
                break
    return found
