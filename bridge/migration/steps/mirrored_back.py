from bridge.migration.gates.gate import Gate
from bridge.migration.gates.running import keeps_up, runs
from bridge.migration.gates.scene import Way
from bridge.migration.steps.step import Course, Step
from bridge.migration.steps.verified import new_side_began


class MirroredBack(Step):
    """The old side gets what is produced to the new one: until the end it is as good as it was."""

    name = "reverse"
    title = "the mirror back keeps the old side whole"

    def task(self, course: Course) -> str:
        return f"run the mirror back, beside the other one: {self._scene.names.reverse}"

    async def act(self, course: Course) -> Course:
        """This may be another machine than the one on which the step before was taken."""
        path = await self._scene.write_reverse(new_side_began(course))
        return course.remembering(self.name, {"configuration": path})

    async def gate(self, course: Course) -> Gate:
        return await keeps_up(self._scene, Way.REVERSE)

    async def look(self, course: Course) -> Gate | None:
        return await runs(self._scene, Way.REVERSE) if course.of(self.name) else None

    def left_back(self, course: Course) -> str:
        return "the mirror back may stop, or run on: it is needed once more on the way back"
