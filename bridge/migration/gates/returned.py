"""The barrier of the way back."""

from bridge.migration.gates.drain import drained
from bridge.migration.gates.gate import Gate
from bridge.migration.gates.hearing import has_produced
from bridge.migration.gates.running import runs
from bridge.migration.gates.scene import Scene, Side, Way
from bridge.migration.gates.silence import silent_for
from bridge.migration.measures.ends import Ends


async def returned(scene: Scene, since: Ends) -> Gate:
    """Whether nobody produces to the new side, and the old one has all that was produced there behind ``since``."""
    await scene.write_reverse(since)
    quiet = await silent_for(scene, Side.NEW, scene.quiet_s)
    if not quiet.holds or not await has_produced(scene, Side.NEW, since):
        return quiet
    if not (running := await runs(scene, Way.REVERSE)).holds:
        return running
    found = await drained(scene, Way.REVERSE, await scene.ends(Side.NEW))
    return Gate((*quiet.figures, *found.figures), found.missing)


def return_task(scene: Scene) -> str:
    """What people do for it."""
    return f"stop the producers of {scene.names.new}; run the mirror back: {scene.names.reverse}"
