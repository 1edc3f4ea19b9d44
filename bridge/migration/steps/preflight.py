from bridge.findings import Severity
from bridge.migration.gates.gate import Gate
from bridge.migration.steps.step import Course, Step


class Preflight(Step):
    """Everything that would stop the migration later."""

    name = "preflight"
    title = "nothing stands in the way"

    async def gate(self, course: Course) -> Gate:
        findings = await self._scene.checks()
        well = [each for each in findings if each.severity is Severity.OK]
        failed = [str(each) for each in findings if each.severity is Severity.FAILED]
        warned = [f"be warned: {each}" for each in findings if each.severity is Severity.WARNING]
        return Gate((f"{len(well)} of {len(findings)} checks hold", *warned), "; ".join(failed))
