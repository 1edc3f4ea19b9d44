"""How long records are kept, at both ends, and how soon what is not yet mirrored goes."""

from bridge.doctor.check import BOTH_ENDS, Check, Findings
from bridge.doctor.scene import Kept, Role, Scene, TopicEnd
from bridge.findings import Finding
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
        kept, source = scene.kept, scene.ends[Role.SOURCE]
        stored = {name: each for name, each in (kept.stored if kept else {}).items() if _is_of(each, source.identity)}
        if not stored:
            return ()
        lost = await self._lost(source, stored) if isinstance(source, TopicEnd) else ()
        return (*lost, *self._by_time(scene, kept, stored))

    async def _lost(self, source: TopicEnd, stored: dict[str, Checkpoint]) -> Findings:
        """Offsets tell it exactly."""
        oldest = (await source.sample()).oldest or {}
        lost = [
            f"partition {name} at {each.position}, which begins behind {oldest[name].position}"
            for name, each in sorted(stored.items())
            if name in oldest and int(each.position or -1) < int(oldest[name].position or -1)
        ]
        if not lost:
            return (self.ok(f"nothing behind the checkpoints has expired in {source.address}"),)
        remedy = "on_gap: continue goes on with the oldest record; the gap is logged and kept"
        reason = "what stood between has expired: the mirror stops there and names the gap"
        return (self.failed(f"checkpoints stand before the oldest record: {'; '.join(lost[:3])}", reason, remedy),)

    def _by_time(self, scene: Scene, kept: Kept | None, stored: dict[str, Checkpoint]) -> Findings:
        source = scene.ends[Role.SOURCE]
        times = {name: each.watermark_ms for name, each in stored.items() if each.watermark_ms and not each.finished}
        if not times or source.kept_ms is None or kept is None:
            return ()
        name, oldest_ms = min(((name, time) for name, time in times.items() if time), key=lambda each: each[1])
        behind_ms = max(0, scene.clock.now_ms() - oldest_ms)
        left_ms = source.kept_ms - behind_ms
        found = f"the oldest checkpoint, of {name}, is {_hours(behind_ms)} old"
        remedy = "start the mirror, or raise the retention of the source first"
        if left_ms <= 0:
            reason = f"{source.address} keeps records for {_hours(source.kept_ms)}: what has come since may be gone"
            return (self.failed(found, reason, remedy),)
        reason = f"what follows it begins to expire in {_hours(left_ms)}"
        if left_ms < source.kept_ms * _SOON_SHARE:
            return (self.warning(found, reason, remedy),)
        return (self.ok(found, reason),)


def _is_of(checkpoint: Checkpoint, identity: str) -> bool:
    return checkpoint.source in ("", identity)


def _for(kept_ms: int | None) -> str:
    return "without a limit" if kept_ms is None else f"for {_hours(kept_ms)}"


def _hours(milliseconds: int) -> str:
    return f"{milliseconds / _HOUR_MS:.3g} h"
