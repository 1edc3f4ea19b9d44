"""Where the new consumer begins in one partition, from what stands there."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from bridge.migration.translation.progress import Progress
from bridge.migration.translation.sighting import Sighting
from connectors.base import Position


class Fate(Enum):
    """What the old consumer has to do with a record."""

    PROCESSED = auto()
    UNREAD = auto()
    LEFT_OUT = auto()
    """It was never on the old consumer's side, nor will be: dead-lettered, filtered, a second copy."""


@dataclass(frozen=True, slots=True)
class Cut:
    """``before`` is the last record at which the new consumer does not begin yet, ``first`` the one with which it does.

    Either is None where there is none.
    """

    before: Sighting | None
    first: Sighting | None
    again: int
    """Records from ``first`` on that the old consumer has processed: they will be seen again."""
    copied: Sighting | None
    """The last one before ``first`` that is processed as a copy; None where none was met."""
    processed: Sighting | None
    """The last one before ``first`` that is processed in whatever way."""
    left_out: int
    """Records before ``first`` that were not on the old side."""


@dataclass(frozen=True, slots=True)
class Judge:
    """What is known of the records of one partition."""

    progress: Progress
    """On the other side."""
    copied: Collection[Position]
    """Of records that did not come from there those that the old consumer has processed, as copies."""
    is_carried: bool
    """Whether a mirror carries such records there."""
    is_passed: Callable[[Sighting], bool]
    """Whether it is past such a record, and has made no copy of it that is still to be processed."""
    keeps_keys: bool = True
    """Whether such a copy has the key of the record."""

    def fates(self, met: Sequence[Sighting]) -> list[Fate]:
        fates: list[Fate] = []
        later = _Later()
        for each in reversed(met):
            fates.append(self._fate(each, later))
            if fates[-1] is Fate.PROCESSED:
                later.note(each)
        fates.reverse()
        return fates

    def _fate(self, each: Sighting, later: "_Later") -> Fate:
        if each.origin is not None:
            is_processed = self.progress.has_processed(each.origin.partition, each.origin.position)
            return Fate.PROCESSED if is_processed else Fate.UNREAD
        if each.position in self.copied:
            return Fate.PROCESSED
        if self.is_carried:
            is_behind = self.keeps_keys and each.key in later.keys
            return Fate.LEFT_OUT if is_behind or self.is_passed(each) else Fate.UNREAD
        # The old consumer was never to see it; what stands behind all that it has processed is as good as new.
        return Fate.LEFT_OUT if later.has_any else Fate.UNREAD


class _Later:
    """What is processed of the records behind one."""

    def __init__(self) -> None:
        self.has_any = False
        self.keys: set[bytes] = set()
        """Of copies. A mirror keeps the order of a key: a copy of an earlier record would stand before them."""

    def note(self, each: Sighting) -> None:
        self.has_any = True
        if each.origin is None and each.key is not None:
            self.keys.add(each.key)


def cut(met: Sequence[Sighting], judge: Judge) -> Cut:
    """The smallest place at which nothing is missed of ``met``, all that stands in a partition from some place on."""
    fates = judge.fates(met)
    number = next((index for index, fate in enumerate(fates) if fate is Fate.UNREAD), len(met))
    processed = [each for each, fate in zip(met[:number], fates, strict=False) if fate is Fate.PROCESSED]
    return Cut(
        met[number - 1] if number else None,
        met[number] if number < len(met) else None,
        sum(fate is Fate.PROCESSED for fate in fates[number:]),
        next((each for each in reversed(processed) if each.origin is None), None),
        processed[-1] if processed else None,
        number - len(processed),
    )
