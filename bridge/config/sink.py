"""Where a mirror writes."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bridge.config.ends import KafkaEnd, KinesisEnd
from bridge.config.librdkafka import Properties
from bridge.config.quantities import Count, Duration, allowed
from bridge.config.section import Choice, Section, at


def _commit_interval(value: float) -> float:
    if value > 5:
        raise allowed("at most 5s, for the broker aborts a transaction that is open for 10s")
    return value


class CreateTopic(Section):
    """How a topic is made that is missing."""

    partitions: Count = Field(description="Final: keys move when it changes later.")
    replication_factor: Count | None = Field(default=None, description="Left out: the broker's default.")
    config: Properties = Field(default_factory=dict, description="The topic's settings, as retention.ms.")


class KafkaSink(KafkaEnd):
    """A Kafka topic that is written."""

    delivery: Literal["exactly_once", "at_least_once"] | None = Field(
        default=None,
        description="Left out: exactly_once where the checkpoints are in the sink's cluster, else at_least_once.",
    )
    commit_interval: Annotated[Duration, AfterValidator(_commit_interval)] = Field(
        default=0.1,
        description="How often a transaction ends, with exactly_once; at most 5s.",
        json_schema_extra={"default": "100ms"},
    )
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = Field(
        default="lz4", description="Of batches, by Kafka's client."
    )
    partitioner: Literal["murmur2", "same_number"] = Field(
        default="murmur2",
        description="Which partition a record goes to: that of its key, as every Java client has it; or, from Kafka, "
        "the number it is read from.",
    )
    create_topic: CreateTopic | None = None


class KinesisSink(KinesisEnd):
    """A Kinesis stream that is written."""

    codec: Literal["kpl", "raw", "envelope"] = Field(
        default="kpl",
        description="How keys, headers and times are put into the data of a record; raw has no room for them, and "
        "refuses headers, null values, and keys that are no partition key.",
    )
    compression: Literal["none", "gzip", "zstd"] = Field(
        default="none", description="Of each value, undone by a mirror that reads the stream; not with raw."
    )

    @model_validator(mode="after")
    def _readers_can_undo_it(self) -> Self:
        if self.codec == "raw" and self.compression != "none":
            raise at(
                "compression",
                "none beside codec: raw, which has no room to say that a value is compressed; kpl and envelope have",
            )
        return self


class Sink(Choice):
    """Where a mirror writes: exactly one of the two."""

    forms: ClassVar[tuple[str, ...]] = ("kafka: {bootstrap_servers, topic: TOPIC}", "kinesis: {stream: STREAM}")

    kafka: KafkaSink | None = None
    kinesis: KinesisSink | None = None

    @property
    def end(self) -> KafkaSink | KinesisSink:
        """The one of the two that is given."""
        given = self.kafka or self.kinesis
        assert given is not None  # noqa: S101 - a choice has exactly one
        return given
