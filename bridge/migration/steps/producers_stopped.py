from bridge.migration.gates.gate import Gate
from bridge.migration.gates.scene import Side
from bridge.migration.gates.silence import silent_for
from bridge.migration.steps.step import Course, Step


class ProducersStopped(Step):
    """Before anybody writes to the new side: a key with producers on both sides has no order."""

    name = "producers-stopped"
    title = "nobody produces to the old side"

    def task(self, course: Course) -> str:
        return f"stop the producers of {self._scene.names.old}, or take their right to write there away"

    async def gate(self, course: Course) -> Gate:
        return await silent_for(self._scene, Side.OLD, self._scene.quiet_s)

    async def look(self, course: Course) -> Gate | None:
        return None

    def left_back(self, course: Course) -> str:
        return f"producers may write to {self._scene.names.old} again"
