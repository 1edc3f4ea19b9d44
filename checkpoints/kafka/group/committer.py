"""How offsets come to be committed: the promise of whoever does it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from checkpoints.kafka.connection import Settings


@dataclass(frozen=True, slots=True)
class ConsumerGroup:
    """A group, and the topic of which it commits offsets. ``connection`` are librdkafka's settings, with secrets."""

    connection: Settings = field(repr=False)
    group: str
    topic: str

    def __str__(self) -> str:
        return f"group {self.group} at {self.connection.get('bootstrap.servers', 'unknown brokers')}"


@dataclass(frozen=True, slots=True)
class CommittedOffset:
    """What a group has committed for one partition: where it reads next, and a text beside it."""

    offset: int
    metadata: str = ""


class Committer(Protocol):
    """Commits offsets of one group and topic, for whoever may."""

    async def commit(self, offsets: Mapping[int, CommittedOffset]) -> None:
        """Commit ``offsets`` by partition, all or none, after those of earlier calls.

        Durable on return. Raises ``FencedError`` where this worker is no member of the group any more, and another
        ``CheckpointError`` where nothing is certain. A cancelled call may take effect or not, whole, and never after a
        later one.
        """
