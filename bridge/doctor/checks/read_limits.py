"""Who shares the read limits of the source's shards with the mirror."""

from bridge.doctor.check import Check, Findings
from bridge.doctor.checks.services import told
from bridge.doctor.scene import Role, Scene, StreamEnd
from bridge.findings import Finding
from connectors.base import ConnectorError

_CROWD = 5
"""Each shard answers five calls a second, of all its polling readers together."""


class ReadLimits(Check):
    name = "read limits"
    needs = frozenset({Role.SOURCE})

    async def run(self, scene: Scene) -> Findings:
        stream = scene.stream(Role.SOURCE)
        if stream is None:
            return ()
        services = await told(self, Role.SOURCE, stream)
        reading = [each for some in services.services.values() for each in some]
        others = [str(each) for each in reading if not each.fans_out] + _applications(scene)
        return await self._fan_out(stream), self._polling(scene, stream, others), *services.untold

    async def _fan_out(self, stream: StreamEnd) -> Finding:
        try:
            names = [each.name for each in await stream.fan_out_consumers()]
        except ConnectorError as error:
            return self.skipped("who is registered for enhanced fan-out", error.cause, error.hint)
        told = f": {', '.join(names)}" if names else ""
        reason = "each has 2 MB/s of a shard for itself, and takes nothing of the mirror's"
        return self.ok(f"{len(names)} consumers are registered for enhanced fan-out{told}", reason if names else "")

    def _polling(self, scene: Scene, stream: StreamEnd, others: list[str]) -> Finding:
        section = scene.configuration.source.kinesis
        share = 1.0 if section is None else section.read_share
        readers = len(others) + 1
        if readers == 1:
            reason = f"a shard of its {len(stream.open_shards)} gives 2 MB and 5 answers a second, to all together"
            return self.ok(f"no polling reader of {stream.address} is known but the mirror", reason)
        found = f"{readers} readers poll each shard of {stream.address}: the mirror, {', '.join(others)}"
        reason = "a shard gives 2 MB and 5 answers a second, to all together"
        if share > 1 / readers or readers > _CROWD:
            remedy = f"set source.kinesis.read_share to {1 / readers:.2g}; or let others use enhanced fan-out"
            return self.warning(found, f"{reason}; the mirror takes {share:.0%} when it is behind", remedy)
        return self.ok(found, f"the mirror leaves {1 - share:.0%} to them")


def _applications(scene: Scene) -> list[str]:
    asked = scene.configuration.cutover
    return [] if asked is None else [f"application {each.application}" for each in asked.consumers]
