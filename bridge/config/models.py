"""Every key that this version has, with its default. What it refuses for now is in ``lacking``."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from bridge.config.checkpoints import (
    Checkpoints,
    CheckpointTopic,
    DynamoCheckpoints,
    KafkaCheckpoints,
    KafkaTopic,
    SqliteCheckpoints,
)
from bridge.config.librdkafka import Properties, plain
from bridge.config.names import (
    NAME_PATTERN,
    STREAM_ARN,
    Endpoint,
    Instance,
    Name,
    Servers,
    Stream,
    Topic,
    share_a_server,
)
from bridge.config.quantities import Count, Duration, Listen, Share, Size, Start, allowed
from bridge.config.section import Section, at
from connectors.kafka.connection import protected

__all__ = [
    "CheckpointTopic",
    "Configuration",
    "CreateTopic",
    "DynamoCheckpoints",
    "KafkaCheckpoints",
    "SqliteCheckpoints",
]


def _memory(value: int) -> int:
    if value < 2**20:
        raise allowed("at least 1MiB")
    return value


def _commit_interval(value: float) -> float:
    if value > 5:
        raise allowed("at most 5s, for the broker aborts a transaction that is open for 10s")
    return value


def _session_timeout(value: float) -> float:
    if not 1 <= value <= 1800:
        raise allowed("1s to 30m")
    return value


def _unprotected(value: dict[str, str | SecretStr]) -> dict[str, str | SecretStr]:
    if keys := protected(plain(value)):
        raise allowed(f"any setting but {', '.join(keys)}, on which the bridge's guarantees rest")
    return value


class KinesisSource(Section):
    stream: Stream = Field(description="Name or ARN.")
    region: str | None = Field(default=None, description="Left out: the ARN's, else that of the AWS environment.")
    endpoint_url: Endpoint | None = Field(default=None, description="Left out: AWS.")
    start: Start = Field(default="trim_horizon", description="Where to read from while there is no checkpoint yet.")
    read: Literal["polling"] = "polling"
    poll_interval: Duration = Field(
        default=1.0, description="How often an idle shard is read.", json_schema_extra={"default": "1s"}
    )
    codec: Literal["auto"] = Field(default="auto", description="How the data of a record is understood.")
    deaggregate: Literal["keep_all", "kcl", "never"] = Field(
        default="keep_all",
        description="KPL aggregates: every record, those the KCL would deliver, or left as they are.",
    )
    read_share: Share = Field(
        default=1.0, description="Of a shard's read limit; above 1 only at another server than AWS."
    )
    decompress: Literal["never"] = "never"
    assume_role_arn: str | None = Field(default=None, description="The role with which to read.")

    @model_validator(mode="after")
    def _one_region(self) -> Self:
        arn = STREAM_ARN.fullmatch(self.stream)
        if arn is not None and self.region not in (None, arn["region"]):
            raise at("region", f"{arn['region']}, as the stream's ARN says, or left out")
        return self

    @model_validator(mode="after")
    def _within_the_limit(self) -> Self:
        if self.read_share > 1 and self.endpoint_url is None:
            raise at("read_share", "at most 1 at AWS, which enforces its limits")
        return self


class CreateTopic(Section):
    partitions: Count
    replication_factor: Count | None = Field(default=None, description="Left out: the broker's default.")
    config: Properties = Field(default_factory=dict, description="The topic's settings, as retention.ms.")


class KafkaSink(Section):
    bootstrap_servers: Servers = Field(description="HOST:PORT of some brokers.")
    topic: Topic
    delivery: Literal["exactly_once", "at_least_once"] | None = Field(
        default=None,
        description="Left out: exactly_once where the checkpoints are in the sink's cluster, else at_least_once.",
    )
    commit_interval: Annotated[Duration, AfterValidator(_commit_interval)] = Field(
        default=0.1,
        description="How often a transaction ends, with exactly_once.",
        json_schema_extra={"default": "100ms"},
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "lz4"
    partitioner: Literal["murmur2"] = Field(default="murmur2", description="Which partition a key goes to.")
    create_topic: CreateTopic | None = Field(default=None, description="Make the topic where it is missing.")
    auth: Literal["none"] = "none"
    librdkafka: Annotated[Properties, AfterValidator(_unprotected)] = Field(
        default_factory=dict, description="Passed through, except what the bridge's guarantees rest on."
    )


class Source(Section):
    kinesis: KinesisSource


class Sink(Section):
    kafka: KafkaSink


class Workers(Section):
    session_timeout: Annotated[Duration, AfterValidator(_session_timeout)] = Field(
        default=6.0,
        description="How long a worker may be silent before others take its slots over.",
        json_schema_extra={"default": "6s"},
    )
    group_protocol: Literal["classic", "consumer"] = Field(
        default="classic", description="consumer is that of KIP-848, whose session time-out is the broker's."
    )
    instance: Instance | None = Field(
        default=None, description="Static membership: a name that a worker keeps when it restarts, as a pod's."
    )

    @model_validator(mode="after")
    def _one_says_how_long(self) -> Self:
        if self.group_protocol == "consumer" and "session_timeout" in self.model_fields_set:
            raise at(
                "session_timeout",
                "left out beside group_protocol: consumer, where the broker's group.consumer.session.timeout.ms holds",
            )
        return self


class DeadLetterTopic(Section):
    topic: Topic = Field(description="In the sink's cluster.")


class DeadLetterFile(Section):
    path: Path


class DeadLetter(Section):
    kafka: DeadLetterTopic | None = None
    file: DeadLetterFile | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.kafka is None) == (self.file is None):
            raise allowed("exactly one of kafka: {topic: TOPIC} and file: {path: FILE}")
        return self


class Limits(Section):
    memory: Annotated[Size, AfterValidator(_memory)] = Field(
        default=256 * 2**20,
        description="Bytes of records that may be on their way through this process.",
        json_schema_extra={"default": "256MiB"},
    )
    records_per_second: None = None
    bytes_per_second: None = None


class Http(Section):
    listen: Listen | None = Field(
        default=("127.0.0.1", 8080),
        description="HOST:PORT; null turns it off.",
        json_schema_extra={"default": "127.0.0.1:8080"},
    )
    token: None = None


class Log(Section):
    format: Literal["auto", "console", "json"] = "auto"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Configuration(Section):
    """One mirror: where it reads, where it writes, and by which rules."""

    name: Name = Field(description="Names checkpoints and metrics.", json_schema_extra={"pattern": NAME_PATTERN})
    source: Source
    sink: Sink
    checkpoints: Checkpoints = Field(
        default="auto", description="auto: the topic kmbridge-checkpoints in the sink's cluster."
    )
    checkpoint_interval: Duration = Field(
        default=0.5,
        description="How often progress is saved, where that is not part of a transaction.",
        json_schema_extra={"default": "500ms"},
    )
    workers: Workers = Field(default_factory=Workers)
    provenance: Literal["auto", "always", "never"] = "auto"
    on_gap: Literal["stop", "continue"] = "stop"
    transforms: tuple[()] = ()
    on_error: Literal["stop", "dead_letter"] = "stop"
    dead_letter: DeadLetter | None = None
    limits: Limits = Field(default_factory=Limits)
    http: Http | None = Field(default_factory=Http)
    log: Log = Field(default_factory=Log)

    @model_validator(mode="after")
    def _dead_letter_exists(self) -> Self:
        if self.on_error == "dead_letter" and self.dead_letter is None:
            raise at("on_error", "stop; or dead_letter beside the key dead_letter, which says where to")
        return self

    @model_validator(mode="after")
    def _dead_letter_is_elsewhere(self) -> Self:
        topic = self.dead_letter.kafka if self.dead_letter is not None else None
        if topic is not None and topic.topic == self.sink.kafka.topic:
            raise at("dead_letter.kafka.topic", "another topic than that of the sink")
        return self

    @model_validator(mode="after")
    def _nothing_is_among_the_checkpoints(self) -> Self:
        place = self.checkpoint_topic
        if place is None or not self.checkpoints_in_sink:
            return self
        dead_letter = self.dead_letter.kafka if self.dead_letter is not None else None
        for key, topic in (("sink.kafka.topic", self.sink.kafka), ("dead_letter.kafka.topic", dead_letter)):
            if topic is not None and topic.topic == place.topic:
                raise at(key, "another topic than that of the checkpoints, which is in the same cluster")
        return self

    @model_validator(mode="after")
    def _checkpoints_are_in_the_transaction(self) -> Self:
        if self.sink.kafka.delivery == "exactly_once" and not self.checkpoints_in_sink:
            raise at(
                "sink.kafka.delivery",
                "at_least_once beside checkpoints that are not in the sink's cluster; exactly_once takes "
                "checkpoints: auto, or kafka: {…} without bootstrap_servers of another cluster",
            )
        return self

    @property
    def delivery(self) -> Literal["exactly_once", "at_least_once"]:
        """What ``sink.kafka.delivery`` says, or stands for where it is left out."""
        return self.sink.kafka.delivery or ("exactly_once" if self.checkpoints_in_sink else "at_least_once")

    @property
    def checkpoint_topic(self) -> CheckpointTopic | None:
        """The topic that holds the checkpoints; None where they are not in Kafka."""
        if isinstance(self.checkpoints, KafkaCheckpoints):
            section = self.checkpoints.kafka
        elif self.checkpoints == "auto":
            section = KafkaTopic()
        else:
            return None
        servers = section.bootstrap_servers or self.sink.kafka.bootstrap_servers
        return CheckpointTopic(section.topic, servers, section.slots)

    @property
    def checkpoints_in_sink(self) -> bool:
        """Whether a transaction of the sink can hold the checkpoints: one server in both lists is one cluster."""
        place = self.checkpoint_topic
        return place is not None and share_a_server(place.bootstrap_servers, self.sink.kafka.bootstrap_servers)
