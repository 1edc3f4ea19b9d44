"""Whether the checkpoints were made between these very ends, with as many partitions."""

from bridge.doctor.check import BOTH_ENDS, Check, Findings
from bridge.doctor.scene import Role, Scene
from connectors.counted import counted


class Identity(Check):
    name = "identity"
    needs = BOTH_ENDS | {Role.CHECKPOINTS}

    async def run(self, scene: Scene) -> Findings:
        stored = scene.checkpoints.stored
        source, sink = scene.ends[Role.SOURCE].identity, scene.ends[Role.SINK].identity
        others = {
            told
            for each in stored.values()
            for told, now in ((each.source, source), (each.sink, sink))
            if told and now and told != now
        }
        if others:
            return (
                self.failed(
                    f"made with {', '.join(sorted(others))}: {counted(len(stored), 'checkpoint')}",
                    f"the ends are {source} and {sink}: the mirror stops, for places or orders may differ",
                    "kmbridge checkpoints accept goes on where a topic has got more partitions; of another stream or "
                    "topic, kmbridge checkpoints reset begins anew",
                ),
            )
        if not stored:
            return (
                self.ok("there are no checkpoints yet", f"the mirror begins at {scene.configuration.source.begins}"),
            )
        return (self.ok(f"made between these ends: {counted(len(stored), 'checkpoint')}"),)
