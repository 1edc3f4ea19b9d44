"""What makes a translation impossible, or lossy: told from what the search has read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bridge.migration.translation.errors import MirrorBehindError
from bridge.migration.translation.report import TranslationGap
from bridge.migration.translation.search import Found
from bridge.migration.translation.sighting import Sighting
from bridge.migration.translation.survey import Move
from connectors.base import Position
from connectors.counted import counted

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Checks:
    """Of one search."""

    move: Move
    found: Found
    is_mirrored: bool
    """Whether it is told of a mirror that copies the old side to the new one."""
    begins_late: bool
    """Whether the new side may lack what the old one has held before its first record."""

    def raise_behind(self) -> None:
        """Raises ``MirrorBehindError`` where the old consumer has processed what is still to be mirrored.

        The new one would see it again, and no place is behind what is not there.
        """
        copies = self._copies()
        if not copies and not self.is_mirrored:
            return
        texts = [
            f"{name}: {counted(len(missing), 'record')}, {missing[0].position} to {missing[-1].position}"
            for name in sorted(self.found.survey.ahead)
            if (missing := self._missing(name, copies.get(name, {})))
        ]
        if texts:
            more = [f"and {counted(len(texts) - _NAMED, 'partition')} more"] if len(texts) > _NAMED else []
            raise MirrorBehindError(
                f"translate from {self.move.old.address}",
                f"the consumer is past the mirror's end in {'; '.join([*texts[:_NAMED], *more])}",
                "let the mirror catch up, then translate again",
            )

    def gaps(self) -> Iterator[TranslationGap]:
        """What the old consumer has still to process, and the new side does not hold because it begins behind it."""
        copies = self._copies()
        for name, ahead in sorted(self.found.survey.ahead.items()):
            if ahead.lost is not None:
                yield TranslationGap(name, ahead.lost.lost_from, ahead.lost.lost_to, ahead.lost.cause)
            if ahead.native is not None and self.begins_late and self._reaches_back():
                first = min(copies.get(name, {}), key=self.move.old.rank, default=None)
                if first is not None and self.move.old.rank(ahead.native.position) < self.move.old.rank(first):
                    cause = f"{self.move.new.address} begins behind it"
                    yield TranslationGap(name, ahead.native.position, first, cause)

    def _copies(self) -> Mapping[str, Mapping[Position, None]]:
        """Records of the old side that are on the new one, of those that were met there, by partition."""
        found: dict[str, dict[Position, None]] = {}
        for stretch in self.found.stretches.values():
            for each in stretch.met:
                if each.origin is not None:
                    found.setdefault(each.origin.partition, {})[each.origin.position] = None
        return found

    def _missing(self, name: str, copies: Mapping[Position, None]) -> list[Sighting]:
        """What is processed of a partition and no mirror has come to, as far as it was read."""
        rank, reach = self.move.old.rank, self.move.old_reach
        last = max(map(rank, copies), default=None)
        since_ms = max(self.found.survey.since.values(), default=self.found.new.now_ms)
        natives = self.found.survey.processed.natives.get(name, [])
        recent = [each for each in natives if each.time_ms >= since_ms or reach.is_known]
        ahead = self.found.survey.ahead[name].last
        if ahead is not None and ahead.origin is None and reach.is_known and not recent:
            recent = [ahead]
        return [
            each for each in recent if not reach.covers(name, each) and (last is None or rank(each.position) > last)
        ]

    def _reaches_back(self) -> bool:
        """Whether everything was looked at that the new side holds, and that has a beginning."""
        return all(stretch.place == self.found.new.beginnings[name] for name, stretch in self.found.stretches.items())
