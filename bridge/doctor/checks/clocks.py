"""Whether this machine's clock agrees with those of the ends."""

from bridge.doctor.check import EndCheck, Findings
from bridge.doctor.scene import Scene, StreamEnd, TopicEnd

_NOTED_MS = 2_000
_REFUSED_MS = 240_000
"""AWS refuses requests whose time is five minutes off."""
_SECOND_MS = 999
"""A server tells whole seconds."""
_AHEAD_MS = 60_000
_REMEDY = "synchronise the clock of this machine, by NTP"


class Clocks(EndCheck):
    name = "clocks"

    async def run(self, scene: Scene) -> Findings:
        match scene.ends[self.role]:
            case StreamEnd() as end:
                return await self._of_stream(scene, end)
            case TopicEnd() as end:
                return await self._of_topic(scene, end)

    async def _of_stream(self, scene: Scene, end: StreamEnd) -> Findings:
        before_ms = scene.clock.now_ms()
        server_ms = await end.server_ms()
        after_ms = scene.clock.now_ms()
        if server_ms > after_ms:
            apart_ms, way = server_ms - after_ms, "behind"
        else:
            apart_ms, way = max(0, before_ms - (server_ms + _SECOND_MS)), "ahead of"
        if apart_ms < _NOTED_MS:
            return (self.ok(f"this machine's clock agrees with that of {end.address}, within {_NOTED_MS // 1000} s"),)
        found = f"this machine's clock is {apart_ms / 1000:.0f} s {way} that of {end.address}"
        if apart_ms >= _REFUSED_MS:
            return (self.failed(found, "AWS refuses requests that are signed for another time", _REMEDY),)
        return (self.warning(found, "lag and latency are told wrong by as much", _REMEDY),)

    async def _of_topic(self, scene: Scene, end: TopicEnd) -> Findings:
        """Brokers tell no time but by stamping a record, which nobody writes to look at a clock."""
        sample = await end.sample()
        newest_ms = max((time for batch in sample.batches for time in batch.timestamps_ms), default=0)
        ahead_ms = newest_ms - scene.clock.now_ms()
        if ahead_ms > _AHEAD_MS:
            reason = "a producer's clock, or this machine's, is wrong; lag is told by such times"
            found = f"{end.address} has records of {ahead_ms / 1000:.0f} s in the future"
            return (self.warning(found, reason, _REMEDY + ", and those of the producers"),)
        return (
            self.skipped(f"the brokers of {end.address}", "a broker tells its time only by a record that it stamps"),
        )
