from bridge.migration.steps.caught_up import runs
from bridge.migration.steps.drain import drained
from bridge.migration.steps.scene import Scene, Side, Way
from bridge.migration.steps.step import Course, Gate, Step
from bridge.migration.steps.verified import new_side_began


class MirroredBack(Step):
    """The old side gets what is produced to the new one: until the end it is as good as it was."""

    name = "reverse"
    title = "the mirror back keeps the old side whole"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def task(self, course: Course) -> str:
        return f"run the mirror back, beside the other one: {self._scene.names.reverse}"

    async def act(self, course: Course) -> Course:
        """This may be another machine than the one on which the step before was taken."""
        path = await self._scene.write_reverse(new_side_began(course))
        return course.remembering(self.name, {"configuration": path})

    async def gate(self, course: Course) -> Gate:
        if not (running := await runs(self._scene, Way.REVERSE)).holds:
            return running
        found = await drained(self._scene, Way.REVERSE, await self._scene.ends(Side.NEW))
        return Gate((*running.figures, *found.figures), found.missing)

    async def look(self, course: Course) -> Gate | None:
        return await runs(self._scene, Way.REVERSE) if course.of(self.name) else None

    def left_back(self, course: Course) -> str:
        return "the mirror back may stop, or run on: it is needed once more on the way back"
