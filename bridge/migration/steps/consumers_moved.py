from collections.abc import Mapping
from dataclasses import replace

from bridge.migration.measures.consumers import ConsumerStanding, ConsumerState
from bridge.migration.steps.scene import Pair, Scene
from bridge.migration.steps.step import Course, Facts, Gate, Step
from bridge.migration.translation.log import side_by_side
from bridge.migration.translation.request import Direction

_BACK = {Direction.TO_GROUP: Direction.TO_APPLICATION, Direction.TO_APPLICATION: Direction.TO_GROUP}


class ConsumersMoved(Step):
    """They go on where they stood, exact by the origin of each record. They move before the producers do: the new side
    has everything that the old one has, for as long as the mirror runs.
    """

    name = "consumers-moved"
    title = "consumers read the new side"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def task(self, course: Course) -> str:
        if not self._scene.pairs:
            return ""
        if not course.of(self.name):
            return f"stop {self._named(course, _BACK[self._scene.direction])}"
        return f"start {self._named(course, self._scene.direction)}"

    async def ready(self, course: Course) -> Gate:
        return await self._stopped(course, _BACK[self._scene.direction]) if not course.of(self.name) else Gate()

    async def act(self, course: Course) -> Course:
        return course if course.of(self.name) else await self._moved(course, self._scene.direction)

    async def gate(self, course: Course) -> Gate:
        facts = course.of(self.name) if self._scene.pairs else {}
        again = tuple(f"{each} records seen again by {name}" for name, each in facts.items())
        working = await at_work(self._scene, course)
        return Gate((*again, *working.figures), working.missing)

    async def look(self, course: Course) -> Gate | None:
        return await self.gate(course) if course.of(self.name) else None

    def task_back(self, course: Course) -> str:
        return f"stop {self._named(course, self._scene.direction)}" if self._scene.pairs else ""

    async def ready_back(self, course: Course) -> Gate:
        return await self._stopped(course, self._scene.direction)

    async def undo(self, course: Course) -> Course:
        return (await self._moved(course, _BACK[self._scene.direction])).forgetting(self.name)

    def left_back(self, course: Course) -> str:
        again = f"producers may write to {self._scene.names.old} again"
        return f"start {self._named(course, _BACK[self._scene.direction])}; {again}" if self._scene.pairs else again

    async def _stopped(self, course: Course, direction: Direction) -> Gate:
        """Whether those that a translation in ``direction`` has moved to are not at work."""
        found = await looked_at(self._scene, course, direction)
        working = [each for each in found if each.state is ConsumerState.MOVING]
        return Gate(tuple(map(_text, found)), "; ".join(map(_text, working)))

    async def _moved(self, course: Course, direction: Direction) -> Course:
        again: dict[str, object] = {}
        tables = dict(course.tables)
        for pair in self._scene.pairs:
            if direction is Direction.TO_APPLICATION:
                tables[pair.application] = await self._free(pair.application)
            used = tables.get(pair.application, pair.application)
            report = await self._scene.translate(pair, direction, used)
            again[pair.group if direction is Direction.TO_GROUP else used] = report.again
        return replace(course, tables=tables).remembering(self.name, again or _NOBODY)

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


_NOBODY: Facts = {"nobody": 0}


def table(course: Course, pair: Pair) -> str:
    """The lease table with which an application works, by its name."""
    tables: Mapping[str, str] = course.tables
    return tables.get(pair.application, pair.application)


async def looked_at(scene: Scene, course: Course, direction: Direction) -> list[ConsumerStanding]:
    """Those that a translation in ``direction`` moves to, side by side: a table is watched for a while."""
    return await side_by_side(lambda pair: scene.consumers(pair, direction, table(course, pair)), scene.pairs)


async def at_work(scene: Scene, course: Course) -> Gate:
    """Whether consumers are at work on the new side."""
    found = await looked_at(scene, course, scene.direction)
    idle = [each.name for each in found if each.state is not ConsumerState.MOVING]
    figures = tuple(map(_text, found)) or ("no consumers are configured",)
    return Gate(figures, f"not at work: {', '.join(idle)}" if idle else "")


def _text(standing: ConsumerStanding) -> str:
    working = f": {', '.join(standing.at_work[:3])}" if standing.at_work else ""
    return f"{standing.name} {standing.state.value.replace('_', ' ')}{working}"
