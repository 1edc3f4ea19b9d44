"""Whether each step of ``transforms`` can be begun."""

from bridge.assembly.transforming import steps_of
from bridge.doctor.check import Check, Findings
from bridge.doctor.scene import Scene
from bridge.findings import Finding, failure
from connectors.base import ConnectorError
from connectors.transform import Transform


class Steps(Check):
    """They are entered as a mirror enters them, and given no record: modules are loaded, services asked."""

    name = "transforms"

    async def run(self, scene: Scene) -> Findings:
        return [await self._begun(step) for step in steps_of(scene.configuration, scene.clock)]

    async def _begun(self, step: Transform) -> Finding:
        try:
            async with step:
                return self.ok(f"ready: {step.name}", "no record was given to it")
        except ConnectorError as error:
            return failure(self.name, error)
