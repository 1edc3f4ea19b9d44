"""What records go through between the ends."""

from bridge.assembly.transforming import chain_of
from bridge.doctor.check import Check, Findings
from bridge.doctor.scene import Scene
from connectors.base import Observer


class Steps(Check):
    name = "transforms"

    async def run(self, scene: Scene) -> Findings:
        """Opened as a mirror opens them, and not called: what they do elsewhere is not ours to try."""
        chain = chain_of(scene.configuration, scene.clock, Observer())
        if chain is None:
            return ()
        async with chain:
            return (self.ok(f"ready: {chain.name}", "no record was given to them"),)
