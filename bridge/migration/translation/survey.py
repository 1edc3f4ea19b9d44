"""The old side around the places of the old consumer, and since when the new side is to be looked at for it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import chain

from bridge.migration.log import OLDEST_MS, Log, side_by_side
from bridge.migration.translation.ahead import Ahead, LookAhead
from bridge.migration.translation.copies import LookBack, Processed
from bridge.migration.translation.progress import Progress
from bridge.migration.translation.reach import Reach
from bridge.parity.lineage import Lineage
from connectors.base import End, GapError, Partition, Place, Position

MARGIN_MS = 30_000
"""How much earlier than by their times records are looked for: clocks differ, and arrivals are not told exactly."""


@dataclass(frozen=True, slots=True)
class Move:
    """From where to where, and what is known of it."""

    old: Log
    new: Log
    progress: Progress
    """Of the consumer, on the old side."""
    old_reach: Reach
    """Of a mirror that reads the old side; likewise below."""
    new_reach: Reach
    is_carried: bool
    """Whether it is told of a mirror that copies the new side to the old one."""
    may_rerun: bool
    """Whether what a mirror has written to the new side may stand there again, anywhere behind."""
    needs_record: bool
    """Whether the new consumer's place is a record that is there, and not just a place."""
    margin_ms: int = MARGIN_MS
    is_transformed: bool = False
    """Whether what the new side has of its own is transformed on its way to the old one: it may have other keys there,
    and become several records.
    """


@dataclass(frozen=True, slots=True)
class Side:
    """A side as it was at one moment."""

    partitions: tuple[Partition, ...]
    beginnings: Mapping[str, Place]
    ends: Mapping[str, End]
    now_ms: int
    """When that was, by the clock of the side where it tells one."""

    @classmethod
    async def of(cls, log: Log, now_ms: int) -> "Side":
        """As it is now."""
        partitions = await log.listed()
        beginnings = await log.at_time(partitions, OLDEST_MS)
        ends = await log.ends(partitions)
        told = [end.time_ms for end in ends.values() if end.time_ms is not None]
        return cls(partitions, beginnings, ends, min(told, default=now_ms))

    @property
    def names(self) -> list[str]:
        return [partition.id for partition in self.partitions]


@dataclass(frozen=True, slots=True)
class Survey:
    """What was found on the old side."""

    is_carried: bool
    """Whether a mirror carries there what the new side has of its own: as configured, or as its copies tell."""
    ahead: Mapping[str, Ahead]
    """By partition of the old side."""
    unread: Mapping[str, Position]
    """Of each partition of the new side the first record of which an unread copy lies ahead."""
    since: Mapping[str, int]
    """Since when each partition of the new side is to be looked at, in milliseconds since the epoch."""
    processed: Processed
    """What lies behind, since a moment before all of these."""


class Surveyor:
    """Looks at the old side, as it was when ``old`` was made, for a new side as ``new`` tells."""

    def __init__(self, move: Move, old: Side, new: Side) -> None:
        self._move = move
        self._old = old
        self._new = new
        self._lineage = Lineage(new.partitions)

    async def survey(self, *, is_carried: bool) -> Survey:
        """Raises what reading raises."""
        ahead = await self._look_ahead(is_carried=is_carried)
        if not is_carried and any(each.copies for each in ahead.values()):
            return await self.survey(is_carried=True)
        unread = self._unread(ahead)
        since = await self._since(ahead, unread)
        return await self.widened(Survey(is_carried, ahead, unread, {}, Processed()), since)

    async def widened(self, before: Survey, since: Mapping[str, int]) -> Survey:
        """The same with a look back far enough for ``since``. Raises what reading raises."""
        processed = await self._look_back(min(since.values(), default=self._new.now_ms) - self._move.margin_ms)
        if processed.copies and not before.is_carried:
            return await self.survey(is_carried=True)
        return replace(before, since=since, processed=processed)

    async def _look_ahead(self, *, is_carried: bool) -> Mapping[str, Ahead]:
        move, there = self._move, set(self._new.names)
        look = LookAhead(move.old, move.new, move.progress, there, self._lineage, move.margin_ms, is_carried)

        async def at(partition: str) -> tuple[str, Ahead]:
            return partition, await look.at(partition, self._old.beginnings[partition], self._old.ends[partition])

        return dict(await side_by_side(at, self._old.names))

    def _unread(self, ahead: Mapping[str, Ahead]) -> Mapping[str, Position]:
        found: dict[str, Position] = {}
        rank = self._move.new.rank
        for partition, position in chain.from_iterable(each.copies.items() for each in ahead.values()):
            if partition not in found or rank(position) < rank(found[partition]):
                found[partition] = position
        return found

    async def _since(self, ahead: Mapping[str, Ahead], unread: Mapping[str, Position]) -> Mapping[str, int]:
        times = [each.first.time_ms for each in ahead.values() if each.first is not None]
        common_ms = min(times, default=self._new.now_ms)
        if any(each.lost is not None or not each.keeps_time for each in ahead.values()):
            common_ms = OLDEST_MS

        async def of(partition: str) -> tuple[str, int]:
            earlier = [await self._time_of(partition, place) for place in self._earlier(partition, unread)]
            return partition, max(OLDEST_MS, min([common_ms, *earlier]) - self._move.margin_ms)

        return dict(await side_by_side(of, self._new.names))

    def _earlier(self, partition: str, unread: Mapping[str, Position]) -> list[Place]:
        """Places behind which something may be unread that does not come from the old side."""
        move, found = self._move, []
        if partition in unread:
            found.append(move.new.source.just_before(unread[partition]))
        if move.new_reach.is_known:
            found.append(move.new_reach.behind(partition) or self._new.beginnings[partition])
        return found

    async def _time_of(self, partition: str, place: Place) -> int:
        """When the first record behind ``place`` arrived, or a little before; now where there is none."""
        if place.watermark_ms is not None:
            return place.watermark_ms
        try:
            told = await self._move.new.time_behind(partition, place, self._new.ends[partition])
        except GapError:
            return OLDEST_MS
        return self._new.now_ms if told is None else told

    async def _look_back(self, since_ms: int) -> Processed:
        move, found = self._move, Processed()
        look = LookBack(move.old, move.new, move.progress)
        places = await move.old.at_time(self._old.partitions, max(OLDEST_MS, since_ms))

        async def at(partition: Partition) -> None:
            await look.at(found, partition, places[partition.id], self._old.ends[partition.id])

        await side_by_side(at, self._old.partitions)
        return found
