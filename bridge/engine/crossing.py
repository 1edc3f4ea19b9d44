"""One batch as it was read, and what of it crosses to the sink."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from connectors.base import Batch, Place, Rejected


@dataclass(frozen=True, slots=True)
class Crossing:
    """The same records on both sides where nothing is transformed.

    A record is refused as it was read, and whole: its parts are told by the position that they share with it.
    """

    read: Batch
    made: Batch
    """With all that was left out counted."""
    refused: tuple[Rejected, ...] = ()
    """Those of ``read`` of which nothing may be written, rising by index."""

    @property
    def records(self) -> int:
        """How many of the source's it stands for, those among them that were left out before it was transformed."""
        return len(self.read) + sum(self.read.skipped.values())

    def sent(self) -> Batch:
        """``made`` without what is refused."""
        if not self.refused:
            return self.made
        refused = {self.read.positions[each.index] for each in self.refused}
        return self.made.pick([index for index, each in enumerate(self.made.positions) if each not in refused])

    def refusing(self, rejected: tuple[Rejected, ...]) -> "Crossing":
        """The same, with ``rejected`` records of ``made`` refused as well."""
        if not rejected:
            return self
        found = {each.index: each for each in (*self.as_read(self.made, rejected), *self.refused)}
        return replace(self, refused=tuple(found[index] for index in sorted(found)))

    def as_read(self, batch: Batch, rejected: Iterable[Rejected]) -> tuple[Rejected, ...]:
        """The ``rejected`` records of ``batch``, which is some of ``made``, as those of ``read``, each once."""
        if batch.positions is self.read.positions:
            return tuple(rejected)
        indexes = {position: index for index, position in enumerate(self.read.positions)}
        found: dict[int, Rejected] = {}
        for each in rejected:
            index = indexes[batch.positions[each.index]]
            found.setdefault(index, replace(each, index=index))
        return tuple(found.values())

    def until(self, index: int, before: Place) -> "Crossing":
        """What comes before the record of ``read`` at ``index``, refused or not; ``before`` is the place that the batch
        follows.
        """
        behind = set(self.read.positions[index:])
        count = next((at for at, each in enumerate(self.made.positions) if each in behind), len(self.made))
        read = _first(self.read, index, before)
        refused = tuple(each for each in self.refused if each.index < index)
        return Crossing(read, replace(_first(self.made, count, before), place=read.place), refused)


def until(batch: Batch, index: int, before: Place) -> Batch:
    """The records of ``batch`` before that of which the record at ``index`` was made, ``before`` being the place that
    the batch follows.
    """
    return _first(batch, batch.positions.index(batch.positions[index]), before)


def _first(batch: Batch, count: int, before: Place) -> Batch:
    place = Place(batch.positions[count - 1], before.watermark_ms) if count else before
    return replace(batch.pick(range(count)), place=place, skipped={}, is_last=False)
