"""How a worker of a mirror is a member of its consumer group."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

_REBALANCE_MS = 30_000
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
        """A consumer that never reads: membership is all it is for."""
        settings: dict[str, object] = {
            **self.client,
            "client.id": self.worker_id,
            "group.id": self.group,
            "group.protocol": self.protocol,
            "enable.auto.commit": False,
            "auto.offset.reset": "latest",
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
