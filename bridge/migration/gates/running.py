"""Whether a mirror is at work, and keeps up."""

from bridge.migration.gates.drain import drained
from bridge.migration.gates.gate import Gate
from bridge.migration.gates.scene import Scene, Way
from connectors.counted import counted


async def runs(scene: Scene, way: Way) -> Gate:
    """Whether a mirror has workers."""
    standing = await scene.standing(way)
    if not standing.workers:
        return Gate((), f"no worker of the {way} mirror is alive")
    lag = "" if standing.lag_ms is None else f", {standing.lag_ms / 1000:.1f} s behind at most"
    return Gate((f"{counted(len(standing.workers), 'worker')} of the {way} mirror{lag}",))


async def keeps_up(scene: Scene, way: Way) -> Gate:
    """Whether a mirror has workers, and comes to what is at its source now."""
    if not (running := await runs(scene, way)).holds:
        return running
    found = await drained(scene, way, await scene.ends(way.source))
    return Gate((*running.figures, *found.figures), found.missing)
