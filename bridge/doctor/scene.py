"""What checks see: the ends that were reached, and what can be asked of them."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from bridge.config import Configuration
from bridge.coordination.members import Member
from bridge.doctor.sample import Sample
from bridge.keeping.owners import Holder
from bridge.migration.sides import Sides
from checkpoints.base import Checkpoint
from connectors.base import Clock
from connectors.kafka.inspection import TopicDescription
from connectors.kinesis.services import FanOutConsumer, ReadingService
from connectors.kinesis.shards import Shard
from connectors.kinesis.summary import Summary

T = TypeVar("T")

Ask = Callable[[], Awaitable[T]]
"""A look that takes a while. Raises ``ConnectorError`` or ``CheckpointError`` where it fails."""


class Role(StrEnum):
    """What a mirror has an end for."""

    SOURCE = "source"
    SINK = "sink"
    CHECKPOINTS = "checkpoints"
    DEAD_LETTER = "dead letter"


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """A Kinesis stream."""

    summary: Summary
    open_shards: Sequence[Shard]
    sample: Ask[Sample]
    server_ms: Ask[int]
    """The time by its server, milliseconds since the epoch, in whole seconds."""
    fan_out_consumers: Ask[Sequence[FanOutConsumer]]
    functions: Ask[Sequence[ReadingService]]
    delivery_streams: Ask[Sequence[ReadingService]]

    @property
    def address(self) -> str:
        return self.summary.address

    @property
    def identity(self) -> str:
        return self.summary.identity

    @property
    def kept_ms(self) -> int | None:
        """How long records are kept; None without a limit, or where none is told."""
        return self.summary.retention_ms

    @property
    def largest_record(self) -> int | None:
        """No record has more bytes of key and value; None where that is not told."""
        return self.summary.largest_with_key


@dataclass(frozen=True, slots=True)
class TopicEnd:
    """A Kafka topic."""

    topic: TopicDescription
    sample: Ask[Sample]

    @property
    def address(self) -> str:
        return self.topic.address

    @property
    def identity(self) -> str:
        return self.topic.identity

    @property
    def kept_ms(self) -> int | None:
        """How long records are kept; None without a limit, or where none is told."""
        return self.topic.limits.kept_for_ms

    @property
    def largest_record(self) -> int | None:
        """No record has more bytes of key and value; None where that is not told."""
        return self.topic.limits.largest_record


End = StreamEnd | TopicEnd


@dataclass(frozen=True, slots=True)
class Kept:
    """The mirror's checkpoints, and who works on them now."""

    place: str
    """For a person."""
    stored: Mapping[str, Checkpoint]
    holders: Collection[Holder] = ()
    """Those that own all of them, one at a time."""
    members: Sequence[Member] = ()
    """Those that share the work, as members of the mirror's group."""
    topic: TopicDescription | None = None
    """The topic that holds them; None where they are elsewhere, and where there is none yet."""
    begin_transaction: Ask[None] | None = None
    """Tries whether a transaction can be begun, under an id that no worker has; None where none is needed."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One mirror, looked at without a trace."""

    configuration: Configuration
    clock: Clock
    ends: Mapping[Role, End]
    """Those that were reached."""
    kept: Kept | None
    """None where they were not reached."""
    absent: Mapping[Role, str]
    """Why a role has no end to look at, for a person."""
    sides: Callable[[], AbstractAsyncContextManager[Sides]]
    """Enters both ends once more, for measures that read them."""

    def has(self, role: Role) -> bool:
        """Whether the end in that role was reached."""
        return self.kept is not None if role is Role.CHECKPOINTS else role in self.ends

    @property
    def checkpoints(self) -> Kept:
        """As far as they were reached, on which a check can rely that needs them."""
        if self.kept is None:
            raise RuntimeError("the checkpoints were not reached")
        return self.kept

    def stream(self, role: Role) -> StreamEnd | None:
        """The end in that role, if it is a stream that was reached."""
        end = self.ends.get(role)
        return end if isinstance(end, StreamEnd) else None

    def topic(self, role: Role) -> TopicEnd | None:
        """The end in that role, if it is a topic that was reached."""
        end = self.ends.get(role)
        return end if isinstance(end, TopicEnd) else None
