"""Whether records go round: from the source to the sink, and back again."""

from bridge.doctor.check import BOTH_ENDS, Check, Findings
from bridge.doctor.scene import Role, Scene
from connectors.provenance import looped


class Loops(Check):
    name = "loops"
    needs = BOTH_ENDS

    async def run(self, scene: Scene) -> Findings:
        source, sink = scene.ends[Role.SOURCE], scene.ends[Role.SINK]
        if source.address == sink.address:
            reason = "it would mirror itself without end"
            return (self.failed(f"source and sink are both {source.address}", reason, "name another sink"),)
        sample = await source.sample()
        count = sum(len(looped(batch, source.address, sink.address)) for batch in sample.batches)
        if not count:
            return (self.ok(f"none of {sample} came from {sink.address}"), *self._origins(scene))
        found = f"{count} of {sample} of {source.address} came from {sink.address}"
        asked = scene.configuration
        if not asked.sends_origins:
            reason = "a mirror back runs, and this one sends no origins: that one cannot tell what is an echo"
            remedy = "stop that mirror; or provenance: auto, into Kinesis with codec kpl or envelope"
            return (self.failed(found, reason, remedy),)
        if asked.on_loop == "pass":
            reason = "a mirror back runs, and on_loop: pass sends what it brings once more"
            return (self.failed(found, reason, "stop that mirror first; or on_loop: skip"),)
        reason = "a mirror back runs; such records are known by their origin, and skipped"
        return (self.warning(found, reason, "be sure that both directions are wanted"),)

    def _origins(self, scene: Scene) -> Findings:
        if scene.configuration.sends_origins:
            return ()
        reason = "a mirror back would echo them; verify, translate and read-back know them by origin only"
        remedy = "provenance: auto, into Kinesis with codec kpl or envelope, unless there is never one"
        return (self.warning("mirrored records do not carry where they come from", reason, remedy),)
