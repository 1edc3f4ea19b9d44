from bridge.migration.steps.barrier import at_barrier
from bridge.migration.steps.consumers_moved import at_work
from bridge.migration.steps.scene import Scene, Side
from bridge.migration.steps.silence import silent
from bridge.migration.steps.step import Course, Gate, Step


class Finished(Step):
    """The point of no return: behind it nothing keeps the old side whole."""

    name = "finish"
    title = "the old side is given up"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def task(self, course: Course) -> str:
        return "look at everything once more: there is no way back from here. Then: kmbridge cutover finish"

    async def gate(self, course: Course) -> Gate:
        late = await silent(self._scene, Side.OLD, at_barrier(course, Side.OLD))
        working = await at_work(self._scene, course)
        return Gate((*late.figures, *working.figures), late.missing or working.missing)

    async def look(self, course: Course) -> Gate | None:
        return None

    def left_back(self, course: Course) -> str:
        return ""
