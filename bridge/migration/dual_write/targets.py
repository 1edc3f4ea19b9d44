"""The two ends of a dual write, as an application names them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Literal

from connectors.base import Clock, Observer, Sink, Source
from connectors.codecs.catalogue import CodecName, codec_named
from connectors.codecs.compression import Compression
from connectors.kafka.auth import Auth, Open
from connectors.kafka.connection import Value
from connectors.kafka.settings import KafkaSinkSettings
from connectors.kafka.sink import KafkaSink
from connectors.kafka.source import KafkaSource
from connectors.kafka.source_settings import KafkaSourceSettings
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.settings import KinesisSinkSettings, KinesisSourceSettings
from connectors.kinesis.sink import KinesisSink

_POLL_S = 0.5
"""Between two looks at a shard whose end is near."""
_UNLIMITED = 1_000.0
"""Times the read limits that AWS has."""
_FETCHED = 16 * 2**20


class Target(ABC):
    """One end: what writes to it, and what looks there for records of an earlier life."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Names the end in the spool, which holds its role: it must stay the same from one start to the next."""

    @property
    def carries_ids(self) -> bool:
        """Whether a record can say which one it is, so that it is found again and ``verify`` tells second copies."""
        return True

    @property
    def is_read_by_arrival(self) -> bool:
        """Whether its source finds a time by when records arrived. Otherwise it may go by the times that they bear."""
        return False

    @abstractmethod
    def sink(self, clock: Clock, random: Random, observer: Observer) -> Sink:
        """What writes to it, and tells the place of each record; not entered."""

    @abstractmethod
    def source(self, since: datetime | None, clock: Clock, random: Random, observer: Observer) -> Source:
        """What reads it from ``since`` on, None for its oldest record; not entered."""


@dataclass(frozen=True, slots=True)
class KafkaTarget(Target):
    """A topic. Keys go to partitions as those of every Java producer do (murmur2); without a key to any."""

    bootstrap_servers: str
    topic: str
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "lz4"
    librdkafka: Mapping[str, Value] = field(default_factory=dict, repr=False)
    """Passed through, except what order and durability rest on."""
    auth: Auth = field(default_factory=Open)
    """Who the application is at the brokers; or that stands in ``librdkafka``."""
    name: str = ""
    """Instead of the address in the spool, for servers whose list changes."""
    client_id: str = "kmbridge-dual-write"

    @property
    def label(self) -> str:
        return self.name or f"kafka://{self.bootstrap_servers}/{self.topic}"

    def sink(self, clock: Clock, random: Random, observer: Observer) -> Sink:
        settings = KafkaSinkSettings(
            bootstrap_servers=self.bootstrap_servers,
            topic=self.topic,
            compression=self.compression,
            librdkafka=self.librdkafka,
            auth=self.auth,
            client_id=self.client_id,
            tells_places=True,
        )
        return KafkaSink(settings, clock, observer)

    def source(self, since: datetime | None, clock: Clock, random: Random, observer: Observer) -> Source:
        settings = KafkaSourceSettings(
            bootstrap_servers=self.bootstrap_servers,
            topic=self.topic,
            start="earliest" if since is None else since,
            # What is written here is in no transaction, and those of others must not hide it.
            isolation="read_uncommitted",
            librdkafka=self.librdkafka,
            auth=self.auth,
            client_id=self.client_id,
            buffer_bytes=_FETCHED,
        )
        return KafkaSource(settings, clock, observer)


@dataclass(frozen=True, slots=True)
class KinesisTarget(Target):
    """A stream. Keys go to shards by their MD5, as those of every producer.

    ``codec`` says how records stand there. With ``raw`` a record is its value alone: what has a header, no value, or a
    key that Kinesis cannot have is refused, and no id can be carried.
    """

    stream: str
    """Name or ARN. Another account's stream needs the ARN."""
    region: str | None = None
    endpoint_url: str | None = None
    codec: CodecName = "kpl"
    compression: Compression = "none"
    assume_role_arn: str | None = None
    name: str = ""
    """Instead of the address in the spool."""

    @property
    def label(self) -> str:
        return self.name or f"kinesis://{self.region or ''}/{self.stream}"

    @property
    def carries_ids(self) -> bool:
        return codec_named(self.codec).carries_origins

    @property
    def is_read_by_arrival(self) -> bool:
        return True

    def sink(self, clock: Clock, random: Random, observer: Observer) -> Sink:
        settings = KinesisSinkSettings(
            stream=self.stream,
            codec=codec_named(self.codec, self.compression),
            region=self.region,
            endpoint_url=self.endpoint_url,
            assume_role_arn=self.assume_role_arn,
            tells_places=True,
        )
        return KinesisSink(settings, clock, random, observer, _sole_writer)

    def source(self, since: datetime | None, clock: Clock, random: Random, observer: Observer) -> Source:
        settings = KinesisSourceSettings(
            stream=self.stream,
            region=self.region,
            endpoint_url=self.endpoint_url,
            start="trim_horizon" if since is None else since,
            poll_interval_s=_POLL_S,
            codec=self.codec,
            read_share=1.0 if self.endpoint_url is None else _UNLIMITED,
            assume_role_arn=self.assume_role_arn,
        )
        return KinesisSource(settings, clock, random, observer)


async def _sole_writer() -> None:
    """Nobody takes over from a process that stood still: the lock on its spool is still its own."""
