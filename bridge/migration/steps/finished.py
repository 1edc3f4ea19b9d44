from bridge.migration.gates.gate import Gate
from bridge.migration.steps.barrier import late_at, listened
from bridge.migration.steps.consumers_moved import at_work
from bridge.migration.steps.step import Course, Step


class Finished(Step):
    """The point of no return: behind it nothing keeps the old side whole."""

    name = "finish"
    title = "the old side is given up"

    def task(self, course: Course) -> str:
        return "look at everything once more: there is no way back from here. Then: kmbridge cutover finish"

    async def act(self, course: Course) -> Course:
        return await listened(self._scene, course)

    async def gate(self, course: Course) -> Gate:
        late, working = late_at(self._scene, course), await at_work(self._scene, course)
        return Gate((*late.figures, *working.figures), late.missing or working.missing)

    async def look(self, course: Course) -> Gate | None:
        return None
