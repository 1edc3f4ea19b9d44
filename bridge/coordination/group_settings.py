"""How a worker of a mirror is a member of its consumer group."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

_REBALANCE_MS = 30_000
_REFRESH_MS = 5_000
_ANSWER_MS = 10_000
_HEARTBEATS = 12
"""In one session."""


@dataclass(frozen=True, slots=True)
class GroupSettings:
    """``client`` configures any client of the cluster; ``worker_id`` is this process's name in the group."""

    client: Mapping[str, object] = field(repr=False)
    topic: str
    group: str
    worker_id: str
    session_timeout_s: float = 6.0
    protocol: Literal["classic", "consumer"] = "classic"
    instance: str | None = None
    """Makes the member a static one: gone for less than a session, it finds its slots again."""

    def consumer(self) -> dict[str, object]:
        """A consumer that never reads: it is a member, and commits."""
        settings: dict[str, object] = {
            **self.client,
            "client.id": self.worker_id,
            "group.id": self.group,
            "group.protocol": self.protocol,
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
            # Transactions of this worker's own may be about to move an offset that it looks up.
            "isolation.level": "read_uncommitted",
            # Partitions that a topic gains are divided, too.
            "topic.metadata.refresh.interval.ms": _REFRESH_MS,
            # As long as a hand-over may wait for a broker that does not answer.
            "socket.timeout.ms": _ANSWER_MS,
            "max.poll.interval.ms": max(_REBALANCE_MS, round(self.session_timeout_s * 1000)),
        }
        if self.instance is not None:
            settings["group.instance.id"] = self.instance
        if self.protocol == "classic":
            session_ms = round(self.session_timeout_s * 1000)
            settings["session.timeout.ms"] = session_ms
            settings["heartbeat.interval.ms"] = max(100, session_ms // _HEARTBEATS)
            settings["partition.assignment.strategy"] = "cooperative-sticky"
        return settings
