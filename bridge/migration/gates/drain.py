"""Waiting until a mirror has come to an end that was recorded."""

from bridge.migration.gates.gate import Gate
from bridge.migration.gates.scene import Scene, Way
from bridge.migration.measures.ends import Ends
from connectors.counted import counted

_PATIENCE_S = 30.0
_AGAIN_S = 1.0
_NAMED = 3


async def drained(scene: Scene, way: Way, ends: Ends, patience_s: float = _PATIENCE_S) -> Gate:
    """Whether the mirror has come to ``ends`` within ``patience_s``, in every partition."""
    left = patience_s
    while behind := await scene.undrained(way, ends):
        if left <= 0:
            named = "; ".join(map(str, behind[:_NAMED]))
            more = f"; and {len(behind) - _NAMED} more" if len(behind) > _NAMED else ""
            return Gate((_reached(ends, len(behind)),), f"the {way} mirror has not come to the end of {named}{more}")
        await scene.wait(_AGAIN_S)
        left -= _AGAIN_S
    return Gate((_reached(ends, 0),))


def _reached(ends: Ends, behind: int) -> str:
    return f"{max(0, len(ends) - behind)} of {counted(len(ends), 'partition')} drained"
