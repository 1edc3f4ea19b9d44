"""Where a consumer goes on that moves from one side of a mirror to the other: found by time, and told by origin."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from bridge.migration.log import OLDEST_MS, side_by_side
from bridge.migration.translation.cut import Cut, Judge, cut
from bridge.migration.translation.progress import Extent
from bridge.migration.translation.sighting import Sighting
from bridge.migration.translation.stretch import Awaited, Settling, Stretch, read_stretch
from bridge.migration.translation.survey import Move, Side, Survey, Surveyor
from connectors.base import Place, Position

_WIDER = 8


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to."""

    cuts: Mapping[str, Cut]
    """By partition of the new side."""
    stretches: Mapping[str, Stretch]
    survey: Survey
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
        self._surveyor = Surveyor(move, old, new)
        extent = move.progress.extent
        self._touched = {partition for partition in old.names if extent(partition) is not Extent.NONE}

    async def run(self) -> Found:
        """Raises what reading raises."""
        survey = await self._surveyor.survey(is_carried=self._move.is_carried)
        stretches: dict[str, Stretch] = {}
        cuts: dict[str, Cut] = {}
        unsure, step_ms = self._new.names, self._move.margin_ms
        while unsure:
            stretches |= await self._read(unsure, survey)
            cuts = {name: self._cut(name, stretches[name], survey) for name in self._new.names}
            unsure = [name for name in self._new.names if self._is_unsure(name, cuts[name], stretches[name], survey)]
            if unsure:
                step_ms *= _WIDER
                since = {name: max(OLDEST_MS, survey.since[name] - step_ms) for name in unsure}
                survey = await self._surveyor.widened(survey, {**survey.since, **since})
        return Found(cuts, stretches, survey, self._old, self._new)

    async def _read(self, names: Collection[str], survey: Survey) -> dict[str, Stretch]:
        move = self._move
        places = await self._places(names, survey.since)
        lasts = self._lasts(survey)

        async def of(name: str) -> tuple[str, Stretch]:
            awaited = Awaited(move.progress, survey.processed.copies.get(name, ()), lasts)
            settling = None if move.may_rerun else Settling(awaited, move.old, move.margin_ms)
            end = self._new.ends[name]
            return name, await read_stretch(move.new, move.old.address, name, places[name], end, settling)

        return dict(await side_by_side(of, names))

    async def _places(self, names: Collection[str], since: Mapping[str, int]) -> Mapping[str, Place]:
        """Where each of ``names`` is read from, asked for by time: many have the same."""
        found: dict[str, Place] = {}
        for time_ms in {since[name] for name in names}:
            partitions = [each for each in self._new.partitions if each.id in names and since[each.id] == time_ms]
            found |= await self._move.new.at_time(partitions, time_ms)
        return found

    def _lasts(self, survey: Survey) -> Mapping[str, Position | None]:
        """As ``Awaited`` has them: nothing at all where the old side shows only what came from the new one."""
        natives = survey.processed.natives
        if not natives and all(each.native is None for each in survey.ahead.values()):
            return {}
        known = {name: each[-1].position for name, each in natives.items()}
        return {name: known.get(name) for name in self._touched}

    def _cut(self, name: str, stretch: Stretch, survey: Survey) -> Cut:
        unread, rank = survey.unread.get(name), self._move.new.rank

        def is_passed(each: Sighting) -> bool:
            has_no_copy = unread is None or rank(each.position) < rank(unread)
            return has_no_copy and self._move.new_reach.covers(name, each)

        copied, is_transformed = survey.processed.copies.get(name, ()), self._move.is_transformed
        if is_transformed:
            # Of a record that was split a part may be processed, and another not.
            copied = {each for each in copied if each != unread}
        judge = Judge(self._move.progress, copied, survey.is_carried, is_passed, keeps_keys=not is_transformed)
        return cut(stretch.met, judge)

    def _is_unsure(self, name: str, found: Cut, stretch: Stretch, survey: Survey) -> bool:
        """Whether what stands before ``stretch`` has to be seen as well."""
        if stretch.place == self._new.beginnings[name]:
            return False
        if self._move.needs_record and found.before is None:
            return True
        if self._move.new_reach.is_known:
            return False
        # How late a mirror is with what the new side has of its own nobody has told: what is behind its last record
        # tells it. Keys may overtake others for a while.
        if survey.is_carried:
            return found.copied is None or found.copied.time_ms < survey.since[name] + self._move.margin_ms
        return found.processed is None
