"""Whether anybody still produces to a side."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.migration.gates.gate import Gate
from bridge.migration.gates.hearing import heard
from bridge.migration.gates.scene import Scene, Side
from bridge.migration.measures.ends import Ends
from bridge.migration.measures.hidden import Hidden
from connectors.counted import counted

_PAUSE_S = 1.0
_LOOKS = 8
"""A mirror's own transactions last a tenth of a second, and may be configured to last 5."""


async def silent(scene: Scene, side: Side, ends: Ends) -> Gate:
    """Whether nothing was produced to ``side`` behind ``ends``.

    Takes some seconds where a transaction is open: nobody can tell what it hides.
    """
    where = scene.names.old if side is Side.OLD else scene.names.new
    if unseen := await _unseen(scene, side):
        return Gate((), f"{where}: {_hidden(unseen)}: end it, or wait for its timeout")
    found = await heard(scene, side, ends)
    if found.count:
        return Gate((f"{found.told} produced to {where}",), f"producers still write to {where}: {found.place}")
    return Gate((f"nothing was produced to {where}",))


async def silent_for(scene: Scene, side: Side, seconds: float) -> Gate:
    """Whether nothing is produced to ``side`` in the next ``seconds``. Takes as long."""
    ends = await scene.ends(side)
    await scene.wait(seconds)
    found = await silent(scene, side, ends)
    return Gate((f"{found.figures[0]} for {seconds:g} s",)) if found.holds else found


async def _unseen(scene: Scene, side: Side) -> Sequence[Hidden]:
    """What was there when it was asked, and could not be seen however often it was looked at.

    The mirror's own transactions are open most of the time, but each ends soon: what it hid is there a moment later.
    """
    unseen = await scene.hidden(side)
    for _ in range(_LOOKS):
        if not unseen:
            break
        await scene.wait(_PAUSE_S)
        stable = {each.partition: each.stable_end for each in await scene.hidden(side)}
        unseen = [
            replace(each, stable_end=stable[each.partition])
            for each in unseen
            if stable.get(each.partition, each.high_watermark) < each.high_watermark
        ]
    return unseen


def _hidden(unseen: Sequence[Hidden]) -> str:
    more = f", and of {counted(len(unseen) - 1, 'partition')} more" if len(unseen) > 1 else ""
    return f"{unseen[0]}{more}"
