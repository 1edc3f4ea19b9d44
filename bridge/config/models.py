"""Every key that this version has, with its default. What it refuses for now is in ``lacking``."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SecretStr,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from bridge.config.librdkafka import Properties, plain
from bridge.config.quantities import Count, Duration, Listen, Share, Size, Start, allowed, host_port
from connectors.kafka.connection import protected

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,59}$"
_STREAM = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_STREAM_ARN = re.compile(r"arn:aws[a-z-]*:kinesis:(?P<region>[a-z0-9-]+):\d{12}:stream/[a-zA-Z0-9_.-]{1,128}")
_TOPIC = re.compile(r"[a-zA-Z0-9._-]{1,249}")


def _name(value: str) -> str:
    if not re.fullmatch(NAME_PATTERN, value):
        raise allowed("1 to 60 of a-z, 0-9 and -, the first a letter or a digit")
    return value


def _stream(value: str) -> str:
    if not (_STREAM.fullmatch(value) or _STREAM_ARN.fullmatch(value)):
        raise allowed("a stream's name (a-z, A-Z, 0-9, _ . -) or its ARN")
    return value


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value) or value in (".", ".."):
        raise allowed("a topic's name: 1 to 249 of a-z, A-Z, 0-9, . _ -")
    return value


def _endpoint(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", value):
        raise allowed("a URL, as http://127.0.0.1:4567")
    return value


def _servers(value: Any) -> Any:
    """A list; or text with commas, as options and URLs give it."""
    servers = value.split(",") if isinstance(value, str) else value
    if not isinstance(servers, list) or not servers:
        raise allowed("a list of HOST:PORT, as [b-1:9098, b-2:9098]")
    return tuple(server.strip() if isinstance(server, str) else server for server in servers)


def _memory(value: int) -> int:
    if value < 2**20:
        raise allowed("at least 1MiB")
    return value


def _server(value: str) -> str:
    host_port(value)
    return value


def _unprotected(value: dict[str, str | SecretStr]) -> dict[str, str | SecretStr]:
    if keys := protected(plain(value)):
        raise allowed(f"any setting but {', '.join(keys)}, on which the bridge's guarantees rest")
    return value


def _checkpoints_kind(value: Any) -> Any:
    if value not in ("auto", "memory") and not isinstance(value, dict):
        raise allowed("auto, memory, or a section sqlite: {path: FILE}")
    return value


class Section(BaseModel):
    """Unknown keys are errors; no value is ever printed by an error or changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class KinesisSource(Section):
    stream: Annotated[str, AfterValidator(_stream)] = Field(description="Name or ARN.")
    region: str | None = Field(default=None, description="Left out: the ARN's, else that of the AWS environment.")
    endpoint_url: Annotated[str, AfterValidator(_endpoint)] | None = Field(default=None, description="Left out: AWS.")
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
        arn = _STREAM_ARN.fullmatch(self.stream)
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
    bootstrap_servers: Annotated[tuple[Annotated[str, AfterValidator(_server)], ...], BeforeValidator(_servers)] = (
        Field(description="HOST:PORT of some brokers.")
    )
    topic: Annotated[str, AfterValidator(_topic)]
    delivery: Literal["at_least_once"] = "at_least_once"
    commit_interval: Duration = Field(
        default=0.1, description="How often a transaction ends.", json_schema_extra={"default": "100ms"}
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


class SqliteFile(Section):
    path: Path


class SqliteCheckpoints(Section):
    sqlite: SqliteFile


class Workers(Section):
    session_timeout: Duration = Field(default=6.0, json_schema_extra={"default": "6s"})
    group_protocol: Literal["classic"] = "classic"
    instance: None = None


class DeadLetterTopic(Section):
    topic: Annotated[str, AfterValidator(_topic)] = Field(description="In the sink's cluster.")


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

    name: Annotated[str, AfterValidator(_name)] = Field(
        description="Names checkpoints and metrics.", json_schema_extra={"pattern": NAME_PATTERN}
    )
    source: Source
    sink: Sink
    checkpoints: Annotated[
        Annotated[Literal["auto", "memory"], Tag("<text>")] | Annotated[SqliteCheckpoints, Tag("<section>")],
        Discriminator(lambda value: "<text>" if isinstance(value, str) else "<section>"),
        BeforeValidator(_checkpoints_kind),
    ] = "auto"
    checkpoint_interval: Duration = Field(default=0.5, json_schema_extra={"default": "500ms"})
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


def at(key: str, what: str) -> PydanticCustomError:
    """The error of a section where the value at ``key`` is not ``what`` the others allow."""
    return PydanticCustomError("not_allowed", "Input should be {what}", {"what": what, "key": key})
