from bridge.migration.steps.drain import drained
from bridge.migration.steps.scene import Scene, Side, Way
from bridge.migration.steps.step import Course, Gate, Step


class CaughtUp(Step):
    """The mirror runs, and has come to what was there a moment ago: under load it never has everything."""

    name = "caught-up"
    title = "the mirror keeps up"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def task(self, course: Course) -> str:
        return f"run the mirror, and keep it running until the end: {self._scene.names.forward}"

    async def gate(self, course: Course) -> Gate:
        if not (running := await runs(self._scene, Way.FORWARD)).holds:
            return running
        found = await drained(self._scene, Way.FORWARD, await self._scene.ends(Side.OLD))
        return Gate((*running.figures, *found.figures), found.missing)

    async def look(self, course: Course) -> Gate | None:
        return await runs(self._scene, Way.FORWARD)


async def runs(scene: Scene, way: Way) -> Gate:
    """Whether a mirror has workers."""
    standing = await scene.standing(way)
    if not standing.workers:
        return Gate((), f"no worker of the {way} mirror is alive")
    lag = "" if standing.lag_ms is None else f", {standing.lag_ms / 1000:.1f} s behind at most"
    return Gate((f"{len(standing.workers)} workers of the {way} mirror{lag}",))
