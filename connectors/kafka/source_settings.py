"""What a Kafka source is told by its user, and the consumer's configuration that follows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from confluent_kafka import IsolationLevel

from connectors.kafka.auth import Auth, Open
from connectors.kafka.connection import Connection, Value

Start = Literal["earliest", "latest"] | datetime

_TUNING: Mapping[str, Value] = {
    # How long a broker waits for news: a partition that is taken up beside idle ones waits for the answer about these.
    "fetch.wait.max.ms": 100,
    "socket.nagle.disable": True,
    "socket.keepalive.enable": True,
}
_LEAST_ANSWER = 1_048_576


@dataclass(frozen=True, slots=True)
class KafkaSourceSettings:
    """``librdkafka`` passes through, except ``connection.PROTECTED``."""

    bootstrap_servers: str
    topic: str
    start: Start = "earliest"
    """Where a mirror without a checkpoint begins. A time needs its zone."""
    isolation: Literal["read_committed", "read_uncommitted"] = "read_committed"
    librdkafka: Mapping[str, Value] = field(default_factory=dict, repr=False)
    auth: Auth = field(default_factory=Open)
    client_id: str = "kmbridge"
    display_group: str | None = None
    """A group that is told where the mirror stands, for tools that show its lag. Nobody may be a member of it."""
    buffer_bytes: int = 32 * 1024 * 1024
    """What may be fetched before the budget is asked, of all partitions together: a half waits for the lanes, a quarter
    in librdkafka, and the answer of a broker that comes on top is a sixteenth, 1 MiB at least. Answers are compressed:
    records that shrink to a tenth make ten times as much of one.
    """

    reach_s: float = 8.0
    """How long a broker may take to answer at the start."""
    metadata_refresh_ms: int = 5_000
    """How often librdkafka looks at the topic: its partitions may be more, or elsewhere."""
    look_s: float = 10.0
    """How often it is looked whether the topic still is the same, and what the watermark of idle partitions is."""

    @property
    def level(self) -> IsolationLevel:
        """``isolation`` as administrators ask with it."""
        committed = self.isolation == "read_committed"
        return IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED

    def connection(self) -> Connection:
        return Connection(self.bootstrap_servers, self.client_id, self.librdkafka, self.auth)

    def consumer(self) -> dict[str, object]:
        """The configuration on which the source's guarantees rest.

        It is assigned its partitions; the group that librdkafka wants to be named is never joined nor told anything.
        An offset that is not there is an error and no reset.
        Raises ``SettingsError`` where ``librdkafka`` would change any of it.
        """
        answer = max(_LEAST_ANSWER, self.buffer_bytes // 64)
        return {
            **_TUNING,
            **self.connection().settings(),
            "group.id": f"{self.client_id}-source",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "error",
            "enable.partition.eof": True,
            "isolation.level": self.isolation,
            "check.crcs": True,
            # What is fetched ahead of a partition is lost, and fetched again, whenever its lane rests.
            "queued.max.messages.kbytes": max(1, self.buffer_bytes // 32 // 1024),
            "fetch.max.bytes": answer,
            "fetch.message.max.bytes": _LEAST_ANSWER // 4,
            # By default a full queue is looked at again after a second.
            "fetch.queue.backoff.ms": 5,
            "topic.metadata.refresh.interval.ms": self.metadata_refresh_ms,
        }
