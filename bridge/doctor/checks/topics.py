"""Whether the sink's topic keeps what is written to it: durable, for long enough, with its own times."""

from collections.abc import Iterator
from datetime import timedelta

from bridge.doctor.check import Check, Findings
from bridge.doctor.scene import Role, Scene, TopicEnd
from bridge.findings import Finding
from connectors.kafka.inspection import TopicDescription
from connectors.kafka.limits import NO_BOUND

_DAY_MS = 86_400_000


class SinkTopic(Check):
    name = "topic"
    needs = frozenset({Role.SINK})

    async def run(self, scene: Scene) -> Findings:
        end = scene.topic(Role.SINK)
        if end is None:
            return ()
        if not end.topic.settings:
            remedy = "grant DescribeConfigs on it (kafka-cluster:DescribeTopicDynamicConfiguration)"
            return *self._replicas(end.topic), self.skipped(f"the settings of {end.address}", "we may not know", remedy)
        found = [
            *self._replicas(end.topic),
            *self._durability(end.topic),
            *self._cleanup(end),
            *self._times(scene, end.topic),
        ]
        return found or (self.ok(f"{end.address} keeps what is written to it, as far as its settings tell"),)

    def _replicas(self, topic: TopicDescription) -> Iterator[Finding]:
        if leaderless := [each.number for each in topic.partitions if not each.has_leader]:
            reason = "nothing can be written there: the mirror waits"
            yield self.failed(
                f"partitions {_some(leaderless)} of {topic.address} have no leader", reason, "look at its brokers"
            )
        if behind := [each.number for each in topic.partitions if each.in_sync < each.replicas]:
            reason = "a broker is down, or slow"
            found = f"partitions {_some(behind)} of {topic.address} have replicas that are not in sync"
            yield self.warning(found, reason, "look at its brokers before there is more load")

    def _durability(self, topic: TopicDescription) -> Iterator[Finding]:
        replicas = min((each.replicas for each in topic.partitions), default=0)
        least = topic.number("min.insync.replicas")
        if replicas < 2:
            reason = "what is acknowledged is lost with one disk"
            yield self.warning(
                f"{topic.address} has one replica", reason, "replication factor 3, min.insync.replicas 2"
            )
        elif least is None:
            yield self.skipped(f"min.insync.replicas of {topic.address}", "its brokers do not tell")
        elif least == replicas:
            found = f"{topic.address} has min.insync.replicas={least}, as many as replicas"
            yield self.warning(found, "the mirror waits whenever a broker restarts", f"set it to {replicas - 1}")
        elif least < 2:
            found = f"{topic.address} has min.insync.replicas=1"
            yield self.warning(found, "a record may be acknowledged that only one broker has", "set it to 2")
        if least is not None and least > replicas:
            # Kafka 4 acknowledges what all replicas have, and nobody tells its version.
            found = f"{topic.address} has min.insync.replicas={least} and a replication factor of {replicas}"
            reason = "older brokers acknowledge no write then: the mirror waits"
            yield self.warning(found, reason, f"set min.insync.replicas={max(1, replicas - 1)}, or have more replicas")
        if topic.settings.get("unclean.leader.election.enable") == "true":
            reason = "a broker that was behind may lead, and what it had not seen is gone without a word"
            found = f"{topic.address} has unclean.leader.election.enable=true"
            yield self.warning(found, reason, "set it to false")

    def _cleanup(self, end: TopicEnd) -> Iterator[Finding]:
        topic, limits = end.topic, end.topic.limits
        policy = topic.settings.get("cleanup.policy", "delete")
        if limits.compacted:
            reason = (
                "of each key only the last record stays, a null value deletes it, and a record without a key is refused"
            )
            remedy = "cleanup.policy=delete, unless just the last of each key is wanted"
            yield self.warning(f"{topic.address} has cleanup.policy={policy}", reason, remedy)
        kept_ms = limits.kept_for_ms
        if kept_ms is not None and kept_ms < _DAY_MS:
            reason = "a consumer that stands still for longer loses records; so does one that comes later"
            found = f"{topic.address} keeps records for {timedelta(milliseconds=kept_ms)}"
            yield self.warning(found, reason, "raise retention.ms")
        if limits.retention_bytes != NO_BOUND:
            reason = "the oldest records of a partition go when it has more bytes, whatever their age"
            found = f"{topic.address} has retention.bytes={limits.retention_bytes}"
            yield self.warning(found, reason, "reckon with what a backfill brings; or set it to -1")

    def _times(self, scene: Scene, topic: TopicDescription) -> Iterator[Finding]:
        limits = topic.limits
        if topic.settings.get("message.timestamp.type") == "LogAppendTime":
            reason = "records get the time of their writing, and their own is lost"
            found = f"{topic.address} has message.timestamp.type=LogAppendTime"
            yield self.warning(found, reason, "message.timestamp.type=CreateTime")
        source = scene.ends.get(Role.SOURCE)
        kept_ms = None if source is None else source.kept_ms
        if source is not None and limits.before_max_ms < (NO_BOUND if kept_ms is None else kept_ms):
            reason = f"{source.address} may hold older ones, which the brokers refuse: the first stops its lane"
            found = f"{topic.address} takes records of the last {timedelta(milliseconds=limits.before_max_ms)} alone"
            yield self.warning(found, reason, f"raise {limits.before_setting}; or begin later, by start or --from")


def _some(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + ("…" if len(numbers) > 5 else "")
