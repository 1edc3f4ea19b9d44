from bridge.migration.steps.scene import Scene
from bridge.migration.steps.step import Course, Gate, Step


class Preflight(Step):
    """Everything that would stop the migration later."""

    name = "preflight"
    title = "nothing stands in the way"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def gate(self, course: Course) -> Gate:
        checks = await self._scene.checks()
        failed = [f"{each.name}: {each.reason} ({each.remedy})" for each in checks if not each.holds]
        return Gate((f"{len(checks) - len(failed)} of {len(checks)} checks hold",), "; ".join(failed))
