"""Where a mirror reads."""

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from bridge.config.ends import KafkaEnd, KinesisEnd
from bridge.config.names import ConsumerName
from bridge.config.quantities import Duration, Share, StreamStart, TopicStart
from bridge.config.section import Choice, at


class KinesisSource(KinesisEnd):
    """A Kinesis stream that is read."""

    start: StreamStart = Field(
        default="trim_horizon", description="Where to read from while there is no checkpoint yet."
    )
    read: Literal["polling", "fan_out"] = Field(
        default="polling",
        description="By GetRecords, or by subscriptions that records are sent over at once (enhanced fan-out).",
    )
    fan_out_consumer: ConsumerName | None = Field(
        default=None,
        description="Who subscribes: a name, registered where it is missing, or the ARN of a consumer. Left out: "
        "kmbridge-NAME.",
    )
    fan_out_fallback: Literal["stop", "polling"] = Field(
        default="stop",
        description="What to do where the stream has as many consumers as it may have.",
    )
    poll_interval: Duration = Field(
        default=1.0, description="How often an idle shard is read.", json_schema_extra={"default": "1s"}
    )
    codec: Literal["auto", "raw", "kpl", "envelope"] = Field(
        default="auto", description="How the data of a record is understood; auto: by the marker that it begins with."
    )
    deaggregate: Literal["keep_all", "kcl", "never"] = Field(
        default="keep_all",
        description="KPL aggregates: every record, those the KCL would deliver, or left as they are.",
    )
    read_share: Share = Field(
        default=1.0,
        description="The part of a shard's read limit (5 calls and 2 MB a second) that the mirror takes; above 1 only "
        "at another server than AWS. Jobs and verify take 0.8 where it is left out.",
    )
    decompress: Literal["never", "auto"] = Field(
        default="never", description="auto: undo the gzip and zstd of the stream's own producers."
    )

    @model_validator(mode="after")
    def _within_the_limit(self) -> Self:
        if self.read_share > 1 and self.endpoint_url is None:
            raise at("read_share", "at most 1 at AWS, which enforces its limits")
        return self

    @model_validator(mode="after")
    def _fans_out(self) -> Self:
        for key, default in (("fan_out_consumer", None), ("fan_out_fallback", "stop")):
            if self.read != "fan_out" and getattr(self, key) != default:
                raise at(key, "left out where read is polling")
        return self


class KafkaSource(KafkaEnd):
    """A Kafka topic that is read."""

    start: TopicStart = Field(default="earliest", description="Where to read from while there is no checkpoint yet.")
    isolation: Literal["read_committed", "read_uncommitted"] = Field(
        default="read_committed", description="Whether records of transactions are read before these are committed."
    )


class Source(Choice):
    """Where a mirror reads: exactly one of the two."""

    forms: ClassVar[tuple[str, ...]] = ("kinesis: {stream: STREAM}", "kafka: {bootstrap_servers, topic: TOPIC}")

    kinesis: KinesisSource | None = None
    kafka: KafkaSource | None = None

    @property
    def end(self) -> KinesisSource | KafkaSource:
        """The one of the two that is given."""
        given = self.kinesis or self.kafka
        assert given is not None  # noqa: S101 - a choice has exactly one
        return given

    @property
    def begins(self) -> str:
        """Where reading begins while there is no checkpoint yet, for a person."""
        start = self.end.start
        return start if isinstance(start, str) else start.isoformat()
