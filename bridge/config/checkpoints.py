"""Where a mirror remembers how far it came."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from bridge.config.auth import Auth
from bridge.config.cluster import KafkaCluster
from bridge.config.names import Endpoint, Servers, Table, Topic
from bridge.config.quantities import Slots, allowed
from bridge.config.section import Section, unknown
from checkpoints.kafka.topic import DEFAULT_SLOTS, DEFAULT_TOPIC

_KINDS = ("sqlite", "kafka", "dynamodb")


class SqliteFile(Section):
    """A file, for one worker."""

    path: Path = Field(description="On a local disk; made where it is missing.")


class SqliteCheckpoints(Section):
    sqlite: SqliteFile


class KafkaTopic(KafkaCluster):
    """Without a cluster of its own it is in the sink's, else in the source's."""

    topic: Topic = Field(default=DEFAULT_TOPIC, description="Compacted; made where it is missing.")
    bootstrap_servers: Servers | None = Field(
        default=None, description="HOST:PORT of some brokers of its cluster. Left out: the sink's, else the source's."
    )
    auth: Auth = Field(default="none", description="For a cluster of its own; at an end's that end's holds.")
    slots: Slots | None = Field(
        default=None,
        description=f"Partitions of the topic, which workers share. Left out: as it has, {DEFAULT_SLOTS} of a new one.",
    )


class KafkaCheckpoints(Section):
    kafka: KafkaTopic = Field(description="A compacted topic, which any number of workers share.")


class DynamoTable(Section):
    """A table, for one worker."""

    table: Table = Field(description="Made where it is missing.")
    region: str | None = Field(default=None, description="Left out: that of the AWS environment.")
    endpoint_url: Endpoint | None = Field(default=None, description="Left out: AWS.")


class DynamoCheckpoints(Section):
    dynamodb: DynamoTable


def _kind(value: Any) -> Any:
    kinds = [key for key in _KINDS if key in value] if isinstance(value, dict) else []
    if isinstance(value, dict) and value and not kinds:
        raise unknown(next(iter(value)))
    if value not in ("auto", "memory") and len(kinds) != 1:
        raise allowed(
            "auto, memory, or a section with exactly one of sqlite: {path: FILE}, "
            "kafka: {topic, bootstrap_servers, slots} and dynamodb: {table: TABLE}"
        )
    return value


def _tag(value: Any) -> str:
    if isinstance(value, str):
        return "<text>"
    keys = value.model_fields_set if isinstance(value, Section) else value
    return next(f"<{key}>" for key in _KINDS if key in keys)


Checkpoints = Annotated[
    Annotated[Literal["auto", "memory"], Tag("<text>")]
    | Annotated[SqliteCheckpoints, Tag("<sqlite>")]
    | Annotated[KafkaCheckpoints, Tag("<kafka>")]
    | Annotated[DynamoCheckpoints, Tag("<dynamodb>")],
    Discriminator(_tag),
    BeforeValidator(_kind),
]


@dataclass(frozen=True, slots=True)
class CheckpointTopic:
    """A checkpoint topic with nothing left open but its slots: None is what the topic has, or the default."""

    topic: str
    names: tuple[str, ...]
    """Those of its cluster: addresses of brokers, or an ARN."""
    slots: int | None
