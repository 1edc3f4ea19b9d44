from bridge.migration.gates.gate import Gate
from bridge.migration.measures.preflight import Check, Weight
from bridge.migration.steps.step import Course, Step


class Preflight(Step):
    """Everything that would stop the migration later."""

    name = "preflight"
    title = "nothing stands in the way"

    async def gate(self, course: Course) -> Gate:
        checks = await self._scene.checks()
        found = [each for each in checks if not each.holds]
        failed = [_told(each) for each in found if each.weight is Weight.MUST]
        warned = [f"be warned: {_told(each)}" for each in found if each.weight is Weight.SHOULD]
        return Gate((f"{len(checks) - len(found)} of {len(checks)} checks hold", *warned), "; ".join(failed))


def _told(check: Check) -> str:
    return f"{check.name}: {check.reason}{f' ({check.remedy})' if check.remedy else ''}"
