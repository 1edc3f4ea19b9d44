"""Where a mirror writes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from bridge.config.librdkafka import Properties, plain
from bridge.config.names import Servers, Topic
from bridge.config.quantities import Count, Duration, allowed
from bridge.config.section import Section
from connectors.kafka.connection import protected


def _commit_interval(value: float) -> float:
    if value > 5:
        raise allowed("at most 5s, for the broker aborts a transaction that is open for 10s")
    return value


def _unprotected(value: dict[str, str | SecretStr]) -> dict[str, str | SecretStr]:
    if keys := protected(plain(value)):
        raise allowed(f"any setting but {', '.join(keys)}, on which the bridge's guarantees rest")
    return value


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


class Sink(Section):
    kafka: KafkaSink
