"""Who shares the read limits of the source's shards with the mirror."""

from collections.abc import Sequence

from bridge.config import Configuration
from bridge.doctor.check import Check, Findings
from bridge.doctor.checks.services import told
from bridge.doctor.scene import Role, Scene, StreamEnd
from bridge.findings import Finding
from connectors.base import ConnectorError
from connectors.counted import counted
from connectors.kinesis.services import FanOutConsumer

_CROWD = 5
"""Each shard answers five calls a second, of all its polling readers together."""
_ROOM = 20
_MOST_ROOM = 50
"""Consumers that may be registered with one stream (Kinesis Data Streams quotas)."""


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
        return await self._fan_out(scene, stream), self._polling(scene, stream, others), *services.untold

    async def _fan_out(self, scene: Scene, stream: StreamEnd) -> Finding:
        try:
            consumers = await stream.fan_out_consumers()
        except ConnectorError as error:
            return self.skipped("who is registered for enhanced fan-out", error.cause, error.hint)
        told = f": {', '.join(each.name for each in consumers)}" if consumers else ""
        found = f"{counted(len(consumers), 'consumer')} registered for enhanced fan-out{told}"
        if scene.configuration.fan_out_consumer is not None:
            return self._room(scene.configuration, consumers, found)
        reason = "each has 2 MB/s of a shard for itself, and takes nothing of the mirror's"
        return self.ok(found, reason if consumers else "")

    def _room(self, asked: Configuration, consumers: Sequence[FanOutConsumer], found: str) -> Finding:
        """Whether the stream takes the mirror's own consumer. One that is named by its ARN is there, or is missed."""
        own, stream = asked.fan_out_consumer or "", asked.source.kinesis
        if any(own in (each.name, each.arn) for each in consumers):
            return self.ok(found, f"{own} is the mirror's")
        if own.startswith("arn:"):
            return self.failed(found, f"{own} is not among them", "register it, or give a name alone")
        if len(consumers) < _ROOM:
            return self.ok(found, f"the mirror registers {own} when it starts")
        reason = f"a stream has room for {_ROOM}, or {_MOST_ROOM} with On-demand Advantage: {own} may find none"
        if stream is not None and stream.fan_out_fallback == "polling":
            return self.warning(found, f"{reason}, and the mirror polls then", "remove one that nobody uses")
        make = self.failed if len(consumers) >= _MOST_ROOM else self.warning
        return make(found, reason, "remove one that nobody uses; or set source.kinesis.fan_out_fallback to polling")

    def _polling(self, scene: Scene, stream: StreamEnd, others: list[str]) -> Finding:
        section = scene.configuration.source.kinesis
        share = 1.0 if section is None else section.read_share
        if scene.configuration.fan_out_consumer is not None:
            return self.ok("the mirror subscribes", "it takes nothing of the limits that polling readers share")
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
