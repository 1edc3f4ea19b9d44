from bridge.migration.gates.gate import Gate
from bridge.migration.gates.hearing import has_produced
from bridge.migration.gates.returned import return_task, returned
from bridge.migration.gates.scene import Side
from bridge.migration.gates.silence import silent
from bridge.migration.steps.barrier import at_barrier, late_at, listened
from bridge.migration.steps.producers_stopped import ProducersStopped
from bridge.migration.steps.step import Course, Step
from bridge.migration.steps.verified import new_side_began


class ProducersMoved(Step):
    """On the new side records arrive that no mirror wrote, and on the old one none."""

    name = "producers-moved"
    title = "producers write to the new side"
    back_to = ProducersStopped.name

    def task(self, course: Course) -> str:
        return f"start the producers of {self._scene.names.new}"

    async def act(self, course: Course) -> Course:
        """The mirror back can be started from now on."""
        await self._scene.write_reverse(new_side_began(course))
        return await listened(self._scene, course)

    async def gate(self, course: Course) -> Gate:
        late, names = late_at(self._scene, course), self._scene.names
        if late.missing:
            return Gate(late.figures, f"{late.missing}. Their keys may be out of order: roll back, and stop them")
        if not await has_produced(self._scene, Side.NEW, at_barrier(course, Side.NEW)):
            return Gate(late.figures, f"nothing was produced to {names.new} yet")
        return Gate((f"records are produced to {names.new}", *late.figures))

    async def look(self, course: Course) -> Gate | None:
        return await self.gate(course) if self.name in course.done else None

    def task_back(self, course: Course) -> str:
        return return_task(self._scene)

    async def ready_back(self, course: Course) -> Gate:
        """Meanwhile nobody may have begun on the old side: what is still on its way there would land behind that."""
        began = await self._scene.ends(Side.OLD)
        found = await returned(self._scene, new_side_began(course))
        if not found.holds:
            return found
        early = await silent(self._scene, Side.OLD, began)
        return Gate((*found.figures, *early.figures), early.missing)

    def left_back(self, course: Course) -> str:
        names = self._scene.names
        return f"start the producers of {names.old}; the mirror back runs on until the consumers are back too"
