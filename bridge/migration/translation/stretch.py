"""What stands in one partition of the new side around the place that is looked for."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from bridge.migration.log import Log
from bridge.migration.translation.progress import Progress
from bridge.migration.translation.sighting import Sighting, sightings
from connectors.base import End, Place, Position


@dataclass(slots=True)
class Stretch:
    """``met`` is all that stands behind ``place``, as far as anything processed may stand there."""

    place: Place
    met: list[Sighting] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Awaited:
    """What may stand in a partition of the new side and is processed."""

    progress: Progress
    copied: Collection[Position]
    """Records of this partition of which a copy is processed."""
    lasts: Mapping[str, Position | None]
    """Of the partitions of the old side those of which something is processed that did not come from here; with the
    last such record where it is known.
    """


class Settling:
    """Follows the reading of a stretch, to tell when nothing that is processed can follow.

    Copies of one partition come in its order, and those of its descendants behind them; into a stream some keys may
    overtake others for a while.
    """

    def __init__(self, awaited: Awaited, old: Log, margin_ms: int) -> None:
        self._progress = awaited.progress
        self._rank = old.rank
        self._left = set(awaited.copied)
        """Records that are still to come."""
        self._lasts = dict(awaited.lasts)
        """Partitions of the old side of which something is still to come."""
        self._met: set[str] = set()
        """Those of which anything came."""
        self._has_unread = False
        self._since_ms: int | None = None
        self._margin_ms = margin_ms

    def is_over_with(self, met: Iterable[Sighting], read_ms: int) -> bool:
        """Whether what follows ``met``, the last of it of that time, is not processed, as far as order tells."""
        for each in met:
            self._meet(each)
        if not self._has_unread or self._left or self._awaits_copies():
            self._since_ms = None
            return False
        if self._since_ms is None:
            self._since_ms = read_ms
        return read_ms > self._since_ms + self._margin_ms

    def _meet(self, each: Sighting) -> None:
        if each.origin is None:
            self._has_unread = self._has_unread or each.position not in self._left
            self._left.discard(each.position)
            return
        partition, position = each.origin.partition, each.origin.position
        self._met.add(partition)
        if not self._progress.has_processed(partition, position):
            self._has_unread = True
            self._lasts.pop(partition, None)
        elif (last := self._lasts.get(partition)) is not None and self._rank(position) >= self._rank(last):
            del self._lasts[partition]

    def _awaits_copies(self) -> bool:
        descendants = self._progress.lineage.descendants
        return any(descendants(each).isdisjoint(self._met) for each in self._lasts)


async def read_stretch(
    new: Log, old: str, partition: str, place: Place, end: End, settling: Settling | None
) -> Stretch:
    """What is behind ``place``, until nothing that is processed can follow; to the end where ``settling`` is None.

    ``old`` is the address of the other side. Raises what reading raises.
    """
    found = Stretch(place)
    async with new.reading(partition, place, end) as batches:
        async for batch in batches:
            met = list(sightings(batch, new.address, old))
            found.met += met
            if settling is not None and settling.is_over_with(met, batch.arrived_ms[-1]):
                break
    return found
