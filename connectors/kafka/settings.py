"""What a Kafka sink is told by its user, and the producer's configuration that follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from connectors.kafka.auth import Auth, Open
from connectors.kafka.connection import Connection, Value
from connectors.kafka.limits import Limits
from connectors.kafka.partitioning import PartitionerName
from connectors.kafka.topic import CreateTopic
from connectors.kafka.transaction import Membership
from connectors.kafka.transaction_scope import Attachment

LINGER_MS = 5
_BATCH_BYTES = 1_000_000
_REQUEST_OVERHEAD = 4096
_TUNING: Mapping[str, Value] = {
    "socket.nagle.disable": True,
    "socket.keepalive.enable": True,
}


@dataclass(frozen=True, slots=True)
class Transactional:
    """What a sink needs to write in transactions: whose generation fences them, and what goes with them."""

    transactional_id: str
    """Of this process alone: whoever else begins with it ends what is open here."""
    checkpoint_topic: str
    membership: Membership
    checkpoints: Attachment
    dead_letter: str | None = None
    """A topic of the same cluster for refused records."""


@dataclass(frozen=True, slots=True)
class KafkaSinkSettings:
    """``librdkafka`` passes through, except ``connection.PROTECTED``."""

    bootstrap_servers: str
    topic: str
    compression: Literal["none", "gzip", "snappy", "lz4", "zstd"] = "lz4"
    partitioner: PartitionerName = "murmur2"
    create_topic: CreateTopic | None = None
    librdkafka: Mapping[str, Value] = field(default_factory=dict, repr=False)
    auth: Auth = field(default_factory=Open)
    client_id: str = "kmbridge"
    buffer_bytes: int = 256 * 1024 * 1024
    """Values that librdkafka may hold; beyond it producing waits."""
    linger_ms: int = LINGER_MS
    """How long a record may wait for others to be sent with."""
    tells_places: bool = False
    """Whether outcomes say where each record is, outside of transactions: each is then heard of by itself."""
    statistics_ms: int = 5_000
    """How often the observer hears of sizes."""

    reach_s: float = 8.0
    """How long a broker may take to answer at the start."""
    metadata_refresh_ms: int = 30_000
    """How often the topic is looked at: its partitions may be others, or gone."""

    def connection(self) -> Connection:
        return Connection(self.bootstrap_servers, self.client_id, self.librdkafka, self.auth)

    def producer(self, limits: Limits) -> dict[str, object]:
        """The configuration on which the sink's guarantees rest.

        Idempotent, so that retries keep the order; gapless, so that a record that fails for good is a fatal error and
        nothing follows it; no time limit, so that an outage is waited out. Where it chooses the partition, it does so
        as the Java clients.
        Raises ``SettingsError`` where ``librdkafka`` would change any of it.
        """
        largest = limits.max_message_bytes
        return {
            "linger.ms": self.linger_ms,
            **_TUNING,
            **self.connection().settings(),
            "enable.idempotence": True,
            "acks": "all",
            "enable.gapless.guarantee": True,
            "message.timeout.ms": 0,
            "partitioner": "murmur2_random",
            "compression.type": self.compression,
            "message.max.bytes": min(largest + _REQUEST_OVERHEAD, 1_000_000_000),
            "batch.size": min(_BATCH_BYTES, largest),
            "queue.buffering.max.messages": 0,
            "queue.buffering.max.kbytes": max(self.buffer_bytes, 2 * largest) // 1024,
            "topic.metadata.refresh.interval.ms": self.metadata_refresh_ms,
            "statistics.interval.ms": self.statistics_ms,
        }
