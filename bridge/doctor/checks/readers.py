"""Which services of AWS read the sink's stream: they do not know what the bridge's codecs put into a record."""

from collections.abc import Sequence

from bridge.doctor.check import Check, Findings
from bridge.doctor.checks.services import told
from bridge.doctor.scene import Role, Scene
from bridge.findings import Finding
from connectors.kinesis.services import ReadingService

_GIVEN = {
    "kpl": "it is given aggregated records of the KPL as they are, and sees their frame around each value",
    "envelope": "it is given the envelope, in which each value is",
}
_UNDONE = {
    "kpl": "undo it there, as aws-kinesis-agg does, or codec: raw, which carries no headers and no origin",
    "envelope": "let it take the value out of the envelope; or codec: raw, which carries no headers and no origin",
}


class Readers(Check):
    name = "readers"
    needs = frozenset({Role.SINK})

    async def run(self, scene: Scene) -> Findings:
        stream = scene.stream(Role.SINK)
        section = scene.configuration.sink.kinesis
        if stream is None or section is None:
            return ()
        services = await told(self, Role.SINK, stream)
        found = [finding for kind, some in services.services.items() for finding in self._of(kind, some, section.codec)]
        return *found, *services.untold

    def _of(self, kind: str, services: Sequence[ReadingService], codec: str) -> Findings:
        if not services:
            return (self.ok(f"no {kind} read the sink"),)
        return [self._judged(each, codec) for each in services]

    def _judged(self, service: ReadingService, codec: str) -> Finding:
        if codec in _GIVEN:
            return self.warning(f"{service} reads the sink", _GIVEN[codec], _UNDONE[codec])
        return self.ok(f"{service} reads the sink", "codec: raw gives it the values as they are")
