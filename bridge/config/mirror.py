"""The keys of a mirror, and what follows from several of them together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import Field

from bridge.config.checkpoints import (
    Checkpoints,
    CheckpointTopic,
    KafkaCheckpoints,
    KafkaTopic,
    SqliteCheckpoints,
)
from bridge.config.cluster import KafkaCluster
from bridge.config.cutover import Cutover
from bridge.config.dead_letter import DeadLetter
from bridge.config.ends import KafkaEnd, KinesisEnd
from bridge.config.names import NAME_PATTERN, Name
from bridge.config.process import Http, Limits, Log, Workers
from bridge.config.quantities import Duration
from bridge.config.section import Section
from bridge.config.sink import Sink
from bridge.config.source import Source
from bridge.config.telemetry import Telemetry
from bridge.config.transforms import Transforms
from bridge.telemetry.listener import Listener
from checkpoints.sqlite.store import default_path


class MirrorSection(Section):
    """Each section is valid by itself; ``rules`` say which go together."""

    name: Name = Field(
        description="Names checkpoints, group, transactions and metrics: 1 to 60 of a-z, 0-9 and -.",
        json_schema_extra={"pattern": NAME_PATTERN},
    )
    source: Source
    sink: Sink
    checkpoints: Checkpoints = Field(
        default="auto",
        description="auto: the topic kmbridge-checkpoints in the sink's cluster; from Kafka to Kinesis the group "
        "kmbridge-NAME of the source's topic; from Kinesis to Kinesis the file NAME.kmbridge.db.",
    )
    checkpoint_interval: Duration = Field(
        default=0.5,
        description="How often progress is saved, where that is not part of a transaction.",
        json_schema_extra={"default": "500ms"},
    )
    workers: Workers = Field(default_factory=Workers)
    provenance: Literal["auto", "always", "never"] = Field(
        default="auto",
        description="Whether a record is sent with where it comes from (kmbridge-origin); auto: wherever the sink can "
        "carry it. Loops, translation, verification and reading back rest on it.",
    )
    on_gap: Literal["stop", "continue"] = Field(
        default="stop",
        description="What a lane does where records were lost at the source; continue: the gap is logged, counted and "
        "kept in the checkpoint.",
    )
    on_loop: Literal["skip", "pass"] = Field(
        default="skip",
        description="What becomes of records that came from the sink; pass restores a lost sink from its mirror.",
    )
    transforms: Transforms = Field(
        default=(), description="What is made of records between source and sink, one step after the other."
    )
    on_error: Literal["stop", "dead_letter"] = Field(
        default="stop",
        description="What a lane does before a record that the sink never takes; dead_letter goes with that key.",
    )
    dead_letter: DeadLetter | None = None
    limits: Limits = Field(default_factory=Limits)
    http: Http | None = Field(default_factory=Http)
    log: Log = Field(default_factory=Log)
    telemetry: Telemetry | None = Field(
        default=None, description="Of the whole process; its metrics and traces beside what `http` serves."
    )
    cutover: Cutover | None = Field(default=None, description="A migration, for `kmbridge cutover`; `run` ignores it.")

    @property
    def kafka_end(self) -> KafkaEnd | None:
        """The end in whose cluster a topic is that names no servers: the sink, else the source."""
        return self.sink.kafka or self.source.kafka

    @property
    def kinesis_end(self) -> KinesisEnd | None:
        """The end in whose region a stream is that names none: the sink, else the source."""
        return self.sink.kinesis or self.source.kinesis

    @property
    def group(self) -> str:
        """The consumer group in which the mirror's workers are members, and its client id at clusters of Kafka."""
        return f"kmbridge-{self.name}"

    @property
    def fan_out_consumer(self) -> str | None:
        """Name or ARN of the consumer for which the source's shards are subscribed to; None where they are not."""
        stream = self.source.kinesis
        if stream is None or stream.read != "fan_out":
            return None
        return stream.fan_out_consumer or self.group

    @property
    def listener(self) -> Listener | None:
        """Where this process is asked over HTTP; None where it is not."""
        return None if self.http is None else self.http.listener

    @property
    def delivery(self) -> Literal["exactly_once", "at_least_once"]:
        """What ``sink.kafka.delivery`` says, or stands for where it is left out. Kinesis has no transactions."""
        if self.sink.kafka is None:
            return "at_least_once"
        return self.sink.kafka.delivery or ("exactly_once" if self.checkpoints_in_sink else "at_least_once")

    @property
    def commit_interval(self) -> float:
        """Seconds between two commits: of transactions, or of checkpoints where these are not part of one."""
        if self.sink.kafka is not None and self.delivery == "exactly_once":
            return self.sink.kafka.commit_interval
        return self.checkpoint_interval

    @property
    def sends_origins(self) -> bool:
        """Whether a record is sent with where it comes from; ``auto`` is wherever the sink can carry that."""
        return self.provenance != "never" and (self.sink.kinesis is None or self.sink.kinesis.codec != "raw")

    @property
    def checkpoint_topic(self) -> CheckpointTopic | None:
        """The topic that holds the checkpoints; None where they are not in one."""
        if isinstance(self.checkpoints, KafkaCheckpoints):
            section = self.checkpoints.kafka
        elif self.checkpoints == "auto" and self.sink.kafka is not None:
            section = KafkaTopic()
        else:
            return None
        cluster = section if section.names else self.kafka_end
        return CheckpointTopic(section.topic, () if cluster is None else cluster.names, section.slots)

    @property
    def checkpoint_cluster(self) -> KafkaCluster | None:
        """The cluster of the checkpoint topic: its own, or that of an end; None where there is no such topic."""
        if isinstance(self.checkpoints, KafkaCheckpoints) and self.checkpoints.kafka.names:
            return self.checkpoints.kafka
        return None if self.checkpoint_topic is None else self.kafka_end

    @property
    def clusters(self) -> Mapping[str, KafkaCluster]:
        """Every cluster that is named, by the section that names it."""
        place = self.checkpoints
        named: dict[str, KafkaCluster | None] = {
            "source": self.source.kafka,
            "sink": self.sink.kafka,
            "checkpoints": place.kafka if isinstance(place, KafkaCheckpoints) and place.kafka.names else None,
        }
        return {key: cluster for key, cluster in named.items() if cluster is not None}

    def with_clusters(self, found: Mapping[str, KafkaCluster]) -> Self:
        """The same, with these in the places of those that ``clusters`` gave."""
        sections = {key: getattr(self, key).model_copy(update={"kafka": cluster}) for key, cluster in found.items()}
        return self.model_copy(update=sections)

    @property
    def checkpoint_end(self) -> KafkaEnd | None:
        """The end in whose cluster the checkpoint topic is; None where it is in another, or there is none."""
        place = self.checkpoint_topic
        ends = (self.sink.kafka, self.source.kafka)
        if place is None:
            return None
        return next((end for end in ends if end is not None and end.is_at(place.names)), None)

    @property
    def checkpoints_in_sink(self) -> bool:
        """Whether a transaction of the sink can hold the checkpoints: one server in both lists is one cluster."""
        return self.checkpoint_end is not None and self.checkpoint_end is self.sink.kafka

    @property
    def checkpoints_in_source_group(self) -> bool:
        """Whether the checkpoints are the offsets of the mirror's own group of the source's topic."""
        return self.checkpoints == "auto" and self.source.kafka is not None and self.sink.kinesis is not None

    @property
    def sqlite_path(self) -> Path | None:
        """The file that holds the checkpoints; None where they are elsewhere."""
        if isinstance(self.checkpoints, SqliteCheckpoints):
            return self.checkpoints.sqlite.path
        return default_path(self.name) if self.checkpoints == "auto" and self.kafka_end is None else None

    @property
    def shares_work(self) -> bool:
        """Whether several workers can divide the source's partitions among them: a group of Kafka's does it."""
        return self.checkpoint_topic is not None or self.checkpoints_in_source_group
