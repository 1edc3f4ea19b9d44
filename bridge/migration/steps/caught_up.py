from bridge.migration.gates.gate import Gate
from bridge.migration.gates.running import keeps_up, runs
from bridge.migration.gates.scene import Way
from bridge.migration.steps.step import Course, Step


class CaughtUp(Step):
    """The mirror runs, and has come to what was there a moment ago: under load it never has everything."""

    name = "caught-up"
    title = "the mirror keeps up"

    def task(self, course: Course) -> str:
        return f"run the mirror, and keep it running until the end: {self._scene.names.forward}"

    async def gate(self, course: Course) -> Gate:
        return await keeps_up(self._scene, Way.FORWARD)

    async def look(self, course: Course) -> Gate | None:
        return await runs(self._scene, Way.FORWARD)
