from bridge.migration.gates.drain import drained
from bridge.migration.gates.gate import Gate
from bridge.migration.gates.scene import Side, Way
from bridge.migration.measures import ends as recorded
from bridge.migration.measures.ends import Ends
from bridge.migration.steps.step import Course, Facts, Step
from bridge.parity.report import Kind, ParityReport
from connectors.counted import counted

_NEW = "new"


class Verified(Step):
    """Both sides hold the same, as far as they were written when the command began to look."""

    name = "verify"
    title = "both sides hold the same"
    ways: tuple[Way, ...] = (Way.FORWARD,)

    async def act(self, course: Course) -> Course:
        facts: dict[str, object] = dict(self._kept(course)) or await self._begun(course)
        for way in self.ways:
            ends = await self._scene.ends(way.source)
            behind = await drained(self._scene, way, ends)
            report = await self._scene.verify(way, ends, self._since(way, course)) if behind.holds else None
            facts[way] = behind.missing if report is None else _summary(report)
        return course.remembering(self.name, facts)

    def _kept(self, course: Course) -> Facts:
        """What a repeated attempt leaves as it was."""
        return {name: each for name, each in course.of(self.name).items() if name == _NEW}

    async def _begun(self, course: Course) -> dict[str, object]:
        """Where the new side ends now: whatever is produced behind that has to come back, if all of it does."""
        return {_NEW: recorded.written(await self._scene.ends(Side.NEW))}

    def _since(self, way: Way, course: Course) -> Ends | None:
        """From where on a mirror has everything; None: from its start."""
        return None

    async def gate(self, course: Course) -> Gate:
        facts = course.of(self.name)
        found = {way: facts.get(way) for way in self.ways}
        figures = tuple(
            f"{way}: {counted(each['records'], 'record')}" for way, each in found.items() if isinstance(each, dict)
        )
        missing = [f"{way}: {_missing(each)}" for way, each in found.items() if _missing(each)]
        return Gate(figures, "; ".join(missing))

    async def look(self, course: Course) -> Gate | None:
        return await self.gate(course) if course.of(self.name) else None


def new_side_began(course: Course) -> Ends:
    """Where the new side ended when both were first found equal; nothing that came before is the migration's."""
    return course.ends(Verified.name, _NEW)


def _summary(report: ParityReport) -> dict[str, object]:
    wrong = {kind.value: report.differences[kind].count for kind in Kind if not report.permits(kind)}
    return {"records": report.source_records, "differences": {kind: count for kind, count in wrong.items() if count}}


def _missing(found: object) -> str:
    if not isinstance(found, dict):
        return str(found or "not compared yet")
    counts = ", ".join(f"{counted(count, 'record')} {kind}" for kind, count in found["differences"].items())
    return f"{counts}; kmbridge verify names them" if counts else ""
