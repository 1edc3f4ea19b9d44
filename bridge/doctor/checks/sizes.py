"""Whether the sink takes what the source holds: by the limits of both, and by the records of a sample."""

from collections import Counter

from bridge.doctor.check import BOTH_ENDS, Check, Findings
from bridge.doctor.scene import Role, Scene, StreamEnd, TopicEnd
from bridge.findings import Finding
from connectors.base import Batch, Rejected
from connectors.codecs.catalogue import codec_named
from connectors.kinesis.writing.record_size import RecordSize
from connectors.provenance import stamp


class Sizes(Check):
    name = "sizes"
    needs = BOTH_ENDS

    async def run(self, scene: Scene) -> Findings:
        return self._by_limits(scene), await self._by_sample(scene)

    def _by_limits(self, scene: Scene) -> Finding:
        source, sink = scene.ends[Role.SOURCE], scene.ends[Role.SINK]
        largest = source.largest_record
        if largest is None:
            return self.skipped(f"the largest record of {source.address}", "its brokers do not tell max.message.bytes")
        if too_small := _too_small(scene, largest):
            reason = f"{source.address} may hold records of {largest} bytes; {_outcome(scene)}"
            return self.warning(too_small, reason, f"raise that setting{_way_out(scene)}")
        return self.ok(f"{sink.address} takes the largest record that {source.address} may hold", f"{largest} bytes")

    async def _by_sample(self, scene: Scene) -> Finding:
        source, sink = scene.ends[Role.SOURCE], scene.ends[Role.SINK]
        sample = await source.sample()
        refused = [each for batch in sample.batches for each in _refused(scene, _as_sent(scene, batch))]
        if not refused:
            return self.ok(f"{sink.address} takes all of {sample}")
        reasons = Counter(each.reason for each in refused)
        told = ", ".join(f"{count} for {reason}" for reason, count in reasons.most_common())
        found = f"{sink.address} refuses {len(refused)} of {sample}: {told}"
        reason = f"{refused[0].detail}; {_outcome(scene)}"
        remedy = f"change that setting, or the codec{_way_out(scene)}"
        if scene.configuration.transforms:
            # What the steps make of records shows when a mirror runs: functions may do more than answer.
            return self.warning(found, f"{reason}; unless transforms, which are not tried, mend or drop it", remedy)
        return self.warning(found, reason, remedy) if _buries(scene) else self.failed(found, reason, remedy)


def _buries(scene: Scene) -> bool:
    return scene.configuration.on_error == "dead_letter"


def _outcome(scene: Scene) -> str:
    return "such records go to the dead letter" if _buries(scene) else "the first one stops its lane"


def _way_out(scene: Scene) -> str:
    return "" if _buries(scene) else "; or on_error: dead_letter puts such records aside"


def _as_sent(scene: Scene, batch: Batch) -> Batch:
    if not scene.configuration.sends_origins:
        return batch
    return stamp(batch, scene.ends[Role.SOURCE].address, scene.ends[Role.SINK].address)


def _too_small(scene: Scene, largest: int) -> str:
    """As ``Sink.too_small_for``."""
    match scene.ends[Role.SINK]:
        case StreamEnd() as end:
            return _record_size(scene, end).too_small_for(largest)
        case TopicEnd() as end:
            needed = end.topic.limits.needed_for(largest)
            has = f"topic {end.topic.name} has max.message.bytes={end.topic.limits.max_message_bytes}"
            return "" if needed is None else f"{has}, needs {needed}"


def _refused(scene: Scene, batch: Batch) -> tuple[Rejected, ...]:
    """As ``Sink.inspect``."""
    match scene.ends[Role.SINK]:
        case StreamEnd() as end:
            return _record_size(scene, end).rejections(batch)
        case TopicEnd() as end:
            return end.topic.limits.rejections(batch, scene.clock.now_ms())


def _record_size(scene: Scene, end: StreamEnd) -> RecordSize:
    section = scene.configuration.sink.kinesis
    codec = codec_named("raw") if section is None else codec_named(section.codec, section.compression)
    return RecordSize(codec, end.summary)
