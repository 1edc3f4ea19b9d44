"""Where a consumer goes on that moves from one side of a mirror to the other: found by time, and told by origin."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain

from bridge.migration.translation.ahead import Ahead, LookAhead
from bridge.migration.translation.copies import LookBack, Processed
from bridge.migration.translation.cut import Cut, Judge, cut
from bridge.migration.translation.log import OLDEST_MS, Log, side_by_side
from bridge.migration.translation.progress import Extent, Progress
from bridge.migration.translation.reach import Reach
from bridge.migration.translation.sighting import Sighting
from bridge.migration.translation.stretch import Awaited, Settling, Stretch, read_stretch
from bridge.parity.lineage import Lineage
from connectors.base import End, GapError, Partition, Place, Position

MARGIN_MS = 30_000
"""How much earlier than by their times records are looked for: clocks differ, and arrivals are not told exactly."""
_WIDER = 8


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
    """Whether a mirror is configured that copies the new side to the old one."""
    needs_record: bool
    """Whether the new consumer's place is a record that is there, and not just a place."""
    margin_ms: int = MARGIN_MS


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


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    cuts: Mapping[str, Cut]
    """By partition of the new side."""
    stretches: Mapping[str, Stretch]
    ahead: Mapping[str, Ahead]
    """By partition of the old side."""
    processed: Processed
    since_ms: int
    """Since when everything was looked at."""
    old: Side
    new: Side


class Search:
    """One search. ``new`` is how the new side was before anything was asked of the old one: what comes later is not
    processed by anybody.
    """

    def __init__(self, move: Move, old: Side, new: Side) -> None:
        self._move = move
        self._old = old
        self._new = new
        self._lineage = Lineage(new.partitions)
        self._names = [partition.id for partition in new.partitions]
        self._unread: dict[str, Position] = {}
        """Of each partition the first record of which the old consumer has an unread copy."""
        self._has_natives = False
        """Whether an unread record on the old side did not come from the new one."""
        self._touched = {each.id for each in old.partitions if move.progress.extent(each.id) is not Extent.NONE}

    async def run(self) -> Found:
        """Raises what reading raises."""
        ahead, since, processed = await self._surroundings()
        stretches: dict[str, Stretch] = {}
        cuts: dict[str, Cut] = {}
        unsure, step_ms = self._names, self._move.margin_ms
        while unsure:
            stretches |= await self._read(unsure, since, processed)
            cuts = {name: self._cut(stretches[name], name, processed) for name in self._names}
            unsure = [name for name in unsure if self._is_unsure(cuts[name], stretches[name], name)]
            if unsure:
                step_ms *= _WIDER
                since |= {name: max(OLDEST_MS, since[name] - step_ms) for name in unsure}
                if not self._move.new_reach.is_known:
                    processed = await self._look_back(self._back_to(since))
        since_ms = max(since.values(), default=self._new.now_ms)
        return Found(cuts, stretches, ahead, processed, since_ms, self._old, self._new)

    async def _surroundings(self) -> tuple[Mapping[str, Ahead], dict[str, int], Processed]:
        """What lies ahead and behind on the old side, and since when the new one is to be looked at for it.

        That a mirror carries back what the new side has of its own is told by the configuration, or by what is met.
        """
        is_carried = self._move.is_carried
        while True:
            ahead = await self._look_ahead(is_carried=is_carried)
            if not is_carried and any(each.copies for each in ahead.values()):
                is_carried = True
                continue
            since = await self._since(ahead)
            processed = await self._look_back(self._back_to(since))
            if is_carried or not processed.copies:
                return ahead, since, processed
            is_carried = True

    async def _look_ahead(self, *, is_carried: bool) -> Mapping[str, Ahead]:
        move = self._move
        there = set(self._names)
        look = LookAhead(move.old, move.new, move.progress, there, self._lineage, move.margin_ms, is_carried)

        async def at(partition: str) -> tuple[str, Ahead]:
            beginning, end = self._old.beginnings[partition], self._old.ends[partition]
            return partition, await look.at(partition, beginning, end)

        ahead = dict(await side_by_side(at, [partition.id for partition in self._old.partitions]))
        self._has_natives = any(each.native is not None for each in ahead.values())
        for partition, position in chain.from_iterable(each.copies.items() for each in ahead.values()):
            known = self._unread.get(partition)
            if known is None or move.new.rank(position) < move.new.rank(known):
                self._unread[partition] = position
        return ahead

    async def _since(self, ahead: Mapping[str, Ahead]) -> dict[str, int]:
        """Since when each partition of the new side is to be looked at."""
        times = [each.first.time_ms for each in ahead.values() if each.first is not None]
        common_ms = min(times, default=self._new.now_ms)
        if any(each.is_lost or not each.keeps_time for each in ahead.values()):
            common_ms = OLDEST_MS

        async def of(partition: str) -> tuple[str, int]:
            earliest = min([common_ms, *await self._earlier(partition)])
            return partition, max(OLDEST_MS, earliest - self._move.margin_ms)

        return dict(await side_by_side(of, self._names))

    async def _earlier(self, partition: str) -> list[int]:
        """Times of records, or before them, that may stand before what came from the other side."""
        reach, found = self._move.new_reach, []
        if (position := self._unread.get(partition)) is not None:
            found.append(await self._time_of(partition, self._move.new.source.just_before(position)))
        if reach.is_known:
            behind = reach.behind(partition) or self._new.beginnings[partition]
            told = behind.watermark_ms
            found.append(await self._time_of(partition, behind) if told is None else told)
        return found

    async def _time_of(self, partition: str, place: Place) -> int:
        """When the first record behind ``place`` arrived; now where there is none."""
        try:
            told = await self._move.new.time_behind(partition, place, self._new.ends[partition])
        except GapError:
            return OLDEST_MS
        return self._new.now_ms if told is None else told

    async def _look_back(self, since_ms: int) -> Processed:
        move, found = self._move, Processed()
        look = LookBack(move.old, move.new, move.progress)
        places = await move.old.at_time(self._old.partitions, since_ms)

        async def at(partition: Partition) -> None:
            await look.at(found, partition, places[partition.id], self._old.ends[partition.id])

        await side_by_side(at, self._old.partitions)
        return found

    def _back_to(self, since: Mapping[str, int]) -> int:
        return max(OLDEST_MS, min(since.values(), default=self._new.now_ms) - self._move.margin_ms)

    async def _read(self, names: Iterable[str], since: Mapping[str, int], processed: Processed) -> dict[str, Stretch]:
        move = self._move
        partitions = {partition.id: partition for partition in self._new.partitions}
        lasts = self._lasts(processed)

        async def of(name: str) -> tuple[str, Stretch]:
            place = (await move.new.at_time([partitions[name]], since[name]))[name]
            awaited = Awaited(move.progress, processed.copies.get(name, ()), lasts)
            settling = Settling(awaited, move.old, move.margin_ms)
            end = self._new.ends[name]
            return name, await read_stretch(move.new, move.old.address, name, place, end, settling)

        return dict(await side_by_side(of, names))

    def _lasts(self, processed: Processed) -> dict[str, Position | None]:
        """As ``Awaited`` has them: nothing at all where the old side shows only what came from the new one."""
        if not processed.natives and not self._has_natives:
            return {}
        known = {name: natives[-1].position for name, natives in processed.natives.items()}
        return {name: known.get(name) for name in self._touched}

    def _cut(self, stretch: Stretch, name: str, processed: Processed) -> Cut:
        judge = Judge(self._move.progress, processed.copies.get(name, ()), lambda each: self._is_passed(name, each))
        return cut(stretch.met, judge)

    def _is_passed(self, name: str, each: Sighting) -> bool:
        unread, rank = self._unread.get(name), self._move.new.rank
        is_first = unread is None or rank(each.position) < rank(unread)
        return is_first and self._move.new_reach.covers(name, each)

    def _is_unsure(self, found: Cut, stretch: Stretch, name: str) -> bool:
        """Whether what stands before ``stretch`` has to be seen as well."""
        if found.before is not None or stretch.place == self._new.beginnings[name]:
            return False
        if self._move.needs_record:
            return True
        # What came from the other side is found by time; how late a mirror was with the rest nobody has told.
        return found.first is not None and found.first.origin is None and not self._move.new_reach.is_known
