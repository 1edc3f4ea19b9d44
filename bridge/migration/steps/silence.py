"""Whether anybody still produces to a side."""

from bridge.migration.measures.ends import Ends
from bridge.migration.steps.hearing import heard
from bridge.migration.steps.scene import Scene, Side
from bridge.migration.steps.step import Gate


async def silent(scene: Scene, side: Side, ends: Ends) -> Gate:
    """Whether nothing was produced to ``side`` behind ``ends``."""
    found = await heard(scene, side, ends)
    where = scene.names.old if side is Side.OLD else scene.names.new
    if found.count:
        return Gate((f"{found.told} produced to {where}",), f"producers still write to {where}: {found.place}")
    return Gate((f"nothing was produced to {where}",))


async def silent_for(scene: Scene, side: Side, seconds: float) -> Gate:
    """Whether nothing is produced to ``side`` in the next ``seconds``. Takes as long."""
    ends = await scene.ends(side)
    await scene.wait(seconds)
    found = await silent(scene, side, ends)
    return Gate((f"{found.figures[0]} for {seconds:g} s",)) if found.holds else found
