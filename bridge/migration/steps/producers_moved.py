from bridge.migration.steps.barrier import at_barrier
from bridge.migration.steps.producers_stopped import ProducersStopped
from bridge.migration.steps.returned import returned, task
from bridge.migration.steps.scene import Scene, Side
from bridge.migration.steps.silence import counted, silent
from bridge.migration.steps.step import Course, Gate, Step


class ProducersMoved(Step):
    """On the new side records arrive that no mirror wrote, and on the old one none."""

    name = "producers-moved"
    title = "producers write to the new side"
    back_to = ProducersStopped.name

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def task(self, course: Course) -> str:
        return f"start the producers of {self._scene.names.new}"

    async def act(self, course: Course) -> Course:
        """The mirror back can be started from now on."""
        await self._scene.write_reverse(at_barrier(course, Side.NEW))
        return course

    async def gate(self, course: Course) -> Gate:
        if not (late := await silent(self._scene, Side.OLD, at_barrier(course, Side.OLD))).holds:
            return late
        found = await self._scene.arrivals(Side.NEW, at_barrier(course, Side.NEW))
        if not found.count:
            return Gate(late.figures, f"nothing was produced to {self._scene.names.new} yet")
        return Gate((f"{counted(found)} produced to {self._scene.names.new}", *late.figures))

    async def look(self, course: Course) -> Gate | None:
        return await self.gate(course) if self.name in course.done else None

    def task_back(self, course: Course) -> str:
        return task(self._scene)

    async def ready_back(self, course: Course) -> Gate:
        return await returned(self._scene, at_barrier(course, Side.NEW))

    def left_back(self, course: Course) -> str:
        names = self._scene.names
        return f"start the producers of {names.old}; the mirror back runs on until the consumers are back too"
