"""How long records are kept, at both ends, and how soon what is not yet mirrored goes."""

from collections.abc import Mapping

from bridge.doctor.check import BOTH_ENDS, Check, Findings
from bridge.doctor.scene import End, Role, Scene, StreamEnd, TopicEnd
from bridge.findings import Finding, Severity
from checkpoints.base import Checkpoint

_HOUR_MS = 3_600_000
_SHORT_MS = 48 * _HOUR_MS
_SOON_SHARE = 0.25


class Retention(Check):
    """Of the ends themselves."""

    name = "retention"
    needs = BOTH_ENDS

    async def run(self, scene: Scene) -> Findings:
        source, sink = scene.ends[Role.SOURCE], scene.ends[Role.SINK]
        kept_ms, sink_ms = source.kept_ms, sink.kept_ms
        found: list[Finding] = []
        if kept_ms is not None and kept_ms < _SHORT_MS:
            reason = "a mirror that stands still for longer loses records"
            remedy = "keep them for some days: long enough for a weekend"
            found.append(self.warning(f"{source.address} keeps records for {_hours(kept_ms)}", reason, remedy))
        else:
            found.append(self.ok(f"{source.address} keeps records {_for(kept_ms)}"))
        if sink_ms is not None and (kept_ms is None or sink_ms < kept_ms):
            found.append(
                self.warning(
                    f"{sink.address} keeps records for {_hours(sink_ms)}",
                    f"{source.address} keeps them {_for(kept_ms)}: a backfill copies what is gone again soon",
                    f"keep them {_for(kept_ms)} there too, unless its consumers do without",
                )
            )
        else:
            found.append(self.ok(f"{sink.address} keeps records {_for(sink_ms)}"))
        return found


class Expiry(Check):
    """Of what stands behind the checkpoints."""

    name = "expiry"
    needs = frozenset({Role.SOURCE, Role.CHECKPOINTS})

    async def run(self, scene: Scene) -> Findings:
        end = scene.ends[Role.SOURCE]
        stored = {name: each for name, each in scene.checkpoints.stored.items() if each.source in ("", end.identity)}
        if not stored:
            return ()
        match end:
            case TopicEnd():
                return await self._of_topic(scene, end, stored)
            case StreamEnd():
                return self._by_time(scene, end, stored)

    async def _of_topic(self, scene: Scene, end: TopicEnd, stored: Mapping[str, Checkpoint]) -> Findings:
        """Offsets tell exactly what is lost, and times only what is about to be."""
        oldest = (await end.sample()).oldest or {}
        lost = [
            f"partition {name} at {each.position}, which begins behind {oldest[name].position}"
            for name, each in sorted(stored.items())
            if name in oldest and int(each.position or -1) < int(oldest[name].position or -1)
        ]
        if lost:
            remedy = "on_gap: continue goes on with the oldest record; the gap is logged and kept"
            reason = "what stood between has expired: the mirror stops there and names the gap"
            return (self.failed(f"checkpoints stand before the oldest record: {'; '.join(lost[:3])}", reason, remedy),)
        about = [each for each in self._by_time(scene, end, stored) if each.severity is Severity.WARNING]
        return about or (self.ok(f"nothing behind the checkpoints has expired in {end.address}"),)

    def _by_time(self, scene: Scene, end: End, stored: Mapping[str, Checkpoint]) -> Findings:
        """Until its watermark a checkpoint has all that had arrived."""
        complete = {name: each.watermark_ms for name, each in stored.items() if not each.finished}
        times = {name: time_ms for name, time_ms in complete.items() if time_ms is not None}
        if not times or end.kept_ms is None:
            return ()
        name = min(times, key=lambda each: times[each])
        behind_ms = max(0, scene.clock.now_ms() - times[name])
        left_ms = end.kept_ms - behind_ms
        found = f"the oldest checkpoint, of {name}, is {_hours(behind_ms)} old"
        remedy = "start the mirror, or raise the retention of the source first"
        if left_ms <= 0:
            reason = f"{end.address} keeps records for {_hours(end.kept_ms)}: what has come since may be gone"
            return (self.failed(found, reason, remedy),)
        reason = f"what follows it begins to expire in {_hours(left_ms)}"
        if left_ms < end.kept_ms * _SOON_SHARE:
            return (self.warning(found, reason, remedy),)
        return (self.ok(found, reason),)


def _for(kept_ms: int | None) -> str:
    return "without a limit" if kept_ms is None else f"for {_hours(kept_ms)}"


def _hours(milliseconds: int) -> str:
    return f"{milliseconds / _HOUR_MS:.3g} h"
