from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.migration.gates.gate import Gate
from bridge.migration.gates.returned import return_task, returned
from bridge.migration.gates.scene import Pair, Scene
from bridge.migration.log import side_by_side
from bridge.migration.measures.consumers import ConsumerStanding, ConsumerState
from bridge.migration.steps.step import Course, Step
from bridge.migration.steps.verified import new_side_began
from bridge.migration.translation.report import TranslateReport
from bridge.migration.translation.request import Direction
from connectors.counted import counted

_BACK = {Direction.TO_GROUP: Direction.TO_APPLICATION, Direction.TO_APPLICATION: Direction.TO_GROUP}


class ConsumersMoved(Step):
    """They go on where they stood, exact by the origin of each record. They move before the producers do: the new side
    has everything that the old one has, for as long as the mirror runs.
    """

    name = "consumers-moved"
    title = "consumers read the new side"

    def task(self, course: Course) -> str:
        if not self._scene.pairs:
            return ""
        if not course.of(self.name):
            return f"stop {self._named(course, _BACK[self._scene.direction])}"
        return f"start {self._named(course, self._scene.direction)}"

    async def ready(self, course: Course) -> Gate:
        if course.of(self.name):
            return self._same(course)
        return await self._stopped(course, _BACK[self._scene.direction])

    async def act(self, course: Course) -> Course:
        return course if course.of(self.name) else await self._moved(course, self._scene.direction)

    async def gate(self, course: Course) -> Gate:
        found = course.of(self.name).get("again")
        again = found.items() if isinstance(found, dict) else ()
        working = await at_work(self._scene, course)
        return Gate(
            (*(f"{counted(each, 'record')} seen again by {name}" for name, each in again), *working.figures),
            working.missing,
        )

    async def look(self, course: Course) -> Gate | None:
        return await self.gate(course) if course.of(self.name) else None

    def task_back(self, course: Course) -> str:
        stop = f"stop {self._named(course, self._scene.direction)}; " if self._scene.pairs else ""
        return f"{stop}{return_task(self._scene)}"

    async def ready_back(self, course: Course) -> Gate:
        """What was produced to the new side is on the old one too, whoever wrote it: consumers go back to all of it."""
        if not (same := self._same(course)).holds:
            return same
        stopped = await self._stopped(course, self._scene.direction)
        if not stopped.holds:
            # People are told of the mirror back with the first thing that is missing.
            await self._scene.write_reverse(new_side_began(course))
            return stopped
        found = await returned(self._scene, new_side_began(course))
        return Gate((*stopped.figures, *found.figures), found.missing)

    async def undo(self, course: Course) -> Course:
        return await self._moved(course, _BACK[self._scene.direction])

    def left_back(self, course: Course) -> str:
        again = f"producers may write to {self._scene.names.old} again"
        return f"start {self._named(course, _BACK[self._scene.direction])}; {again}" if self._scene.pairs else again

    def _same(self, course: Course) -> Gate:
        """Whether those that have moved are those that the configuration names."""
        moved, asked = course.of(self.name).get("pairs"), _written(self._scene.pairs)
        if moved in (None, asked):
            return Gate()
        return Gate((), f"{moved} have moved, and the configuration names {asked}: let it name the same consumers")

    async def _stopped(self, course: Course, direction: Direction) -> Gate:
        """Whether those that a translation in ``direction`` has moved to are not at work."""
        found = await looked_at(self._scene, course, direction)
        working = [each for each in found if each.state is ConsumerState.MOVING]
        idle = tuple(_text(each) for each in found if each not in working)
        return Gate(idle, "; ".join(map(_text, working)))

    async def _moved(self, course: Course, direction: Direction) -> Course:
        tables = dict(course.tables)
        if direction is Direction.TO_APPLICATION:
            tables |= {pair.application: await self._free(pair.application) for pair in self._scene.pairs}
        moved = replace(course, tables=tables)
        if len(self._scene.pairs) > 1:
            # All of them or none: what one lacks is found before another is moved.
            for pair in self._scene.pairs:
                await self._scene.would_translate(pair, direction, table(moved, pair))
        again: dict[str, object] = {}
        for pair in self._scene.pairs:
            used = table(moved, pair)
            report = await self._scene.translate(pair, direction, used)
            again[pair.group if direction is Direction.TO_GROUP else used] = report.again + _moved_back(report)
        return moved.remembering(self.name, {"again": again, "pairs": _written(self._scene.pairs)})

    async def _free(self, application: str) -> str:
        """A name that no table has: tables are made new, and those of the way there stay as they are."""
        number, name = 1, application
        while await self._scene.has_table(name):
            number += 1
            name = f"{application}-{number}"
        return name

    def _named(self, course: Course, direction: Direction) -> str:
        """Those that a translation in ``direction`` moves to."""
        if direction is Direction.TO_GROUP:
            return ", ".join(f"the consumers of group {pair.group}" for pair in self._scene.pairs)
        tables = (table(course, pair) for pair in self._scene.pairs)
        return ", ".join(f"the KCL application {each}" for each in tables)


def _written(pairs: Sequence[Pair]) -> list[list[str]]:
    return [[pair.application, pair.group] for pair in pairs]


def _moved_back(report: TranslateReport) -> int:
    """Records that a group had read beyond the place at which it was set again, as after a crash."""
    places = [(each.former, each.place) for each in report.partitions if each.former is not None]
    return sum(max(0, int(former) - int(place)) for former, place in places if report.direction is Direction.TO_GROUP)


def table(course: Course, pair: Pair) -> str:
    """The lease table with which an application works, by its name."""
    tables: Mapping[str, str] = course.tables
    return tables.get(pair.application, pair.application)


async def looked_at(scene: Scene, course: Course, direction: Direction) -> list[ConsumerStanding]:
    """Those that a translation in ``direction`` moves to, side by side: a table is watched for a while."""
    return await side_by_side(lambda pair: scene.consumers(pair, direction, table(course, pair)), scene.pairs)


async def at_work(scene: Scene, course: Course) -> Gate:
    """Whether consumers are at work on the new side, and none of them on the old one."""
    found = await looked_at(scene, course, scene.direction)
    former = await looked_at(scene, course, _BACK[scene.direction])
    idle = [each.name for each in found if each.state is not ConsumerState.MOVING]
    late = [each.name for each in former if each.state is ConsumerState.MOVING]
    missing = [f"not at work: {', '.join(idle)}"] if idle else []
    missing += [f"at work on the old side again: {', '.join(late)}"] if late else []
    return Gate(tuple(map(_text, found)) or ("no consumers are configured",), "; ".join(missing))


def _text(standing: ConsumerStanding) -> str:
    working = f": {', '.join(standing.at_work[:3])}" if standing.at_work else ""
    return f"{standing.name} {standing.state.value.replace('_', ' ')}{working}"
