from bridge.migration.gates.gate import Gate
from bridge.migration.gates.scene import Way
from bridge.migration.steps.step import Course, Step
from connectors.counted import counted


class Backfilled(Step):
    """What was there before: a mirror that runs copies it by itself, and without one the command does."""

    name = "backfill"
    title = "old records are copied, or on their way"

    async def act(self, course: Course) -> Course:
        if course.of(self.name).get("is_complete") or (await self._scene.standing(Way.FORWARD)).workers:
            return course
        report = await self._scene.backfill()
        return course.remembering(self.name, {"records": report.records, "is_complete": report.is_complete})

    async def gate(self, course: Course) -> Gate:
        facts, standing = course.of(self.name), await self._scene.standing(Way.FORWARD)
        if facts.get("is_complete"):
            return Gate((f"records copied by backfill: {facts['records']}",))
        if standing.workers:
            return Gate((f"copied by {counted(len(standing.workers), 'worker')} of the mirror",))
        return Gate((), "neither was it copied whole, nor does the mirror run")
