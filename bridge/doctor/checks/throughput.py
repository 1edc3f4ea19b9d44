"""Whether the sink has room for what the source brings, and its partitions for those who read it."""

from bridge.doctor.check import BOTH_ENDS, Check, Findings
from bridge.doctor.sample import Sample
from bridge.doctor.scene import End, Role, Scene, StreamEnd, TopicEnd
from connectors.counted import counted

_SHARD_BYTES = 1_000_000
_SHARD_RECORDS = 1_000
"""What a shard takes in a second."""
_FULL = 0.7
"""Beyond so much of it little is left for a burst, or for catching up."""


class Throughput(Check):
    name = "throughput"
    needs = BOTH_ENDS

    async def run(self, scene: Scene) -> Findings:
        source, sink = scene.ends[Role.SOURCE], scene.ends[Role.SINK]
        match sink:
            case StreamEnd():
                return self._into_stream(await source.sample(), source, sink)
            case TopicEnd():
                return self._into_topic(scene, source, sink)

    def _into_stream(self, sample: Sample, source: End, sink: StreamEnd) -> Findings:
        shards = len(sink.open_shards)
        needed = max(sample.records_per_second / _SHARD_RECORDS, sample.bytes_per_second / _SHARD_BYTES)
        found = (
            f"{source.address} brings about {sample.records_per_second:.0f} records and "
            f"{sample.bytes_per_second / 1000:.0f} kB a second; {sink.address} has {counted(shards, 'shard')}"
        )
        reason = f"a shard takes {_SHARD_RECORDS} records and 1 MB a second: about {needed:.1f} shards are filled"
        if needed <= shards * _FULL:
            return (self.ok(found, reason),)
        remedy = (
            f"give it {counted(int(needed / _FULL) + 1, 'shard')}; a mirror that catches up needs more for that time"
        )
        if needed > shards and not sink.summary.on_demand:
            return (self.failed(found, reason, remedy),)
        return (self.warning(found, reason, remedy),)

    def _into_topic(self, scene: Scene, source: End, sink: TopicEnd) -> Findings:
        partitions, lanes = len(sink.topic.partitions), _lanes(source)
        section = scene.configuration.sink.kafka
        found = f"{sink.address} has {counted(partitions, 'partition')}, {source.address} {lanes}"
        if section is not None and section.partitioner == "same_number" and partitions < lanes:
            reason = "partitioner: same_number sends each partition to the one of its number"
            return (
                self.failed(
                    found, reason, f"mirror into a topic with {counted(lanes, 'partition')}; or partitioner: murmur2"
                ),
            )
        if partitions < lanes:
            reason = (
                "its consumers can share the work among fewer; more partitions later move keys, and the mirror stops"
            )
            remedy = f"make the topic with {lanes} partitions or more before the first record"
            return (self.warning(found, reason, remedy),)
        return (self.ok(found, "their number is frozen from the first record on: more of them would move keys"),)


def _lanes(end: End) -> int:
    match end:
        case StreamEnd():
            return len(end.open_shards)
        case TopicEnd():
            return len(end.topic.partitions)
