"""Checkpoints in a compacted topic, whose partitions are the slots that workers of a mirror share."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from checkpoints.base import Checkpoint, CheckpointReader, CheckpointStore
from checkpoints.kafka.fence import Fence
from checkpoints.kafka.writer import Writer

DEFAULT_TOPIC = "kmbridge-checkpoints"


@dataclass(frozen=True, slots=True)
class CheckpointTopic:
    """One mirror's view of the topic. ``connection`` are librdkafka's settings, which may hold secrets.

    ``group`` is the consumer group in which the mirror's workers are members; looking does not join it.
    """

    connection: Mapping[str, object] = field(repr=False)
    mirror: str
    group: str
    topic: str = DEFAULT_TOPIC


class KafkaCheckpointReader(CheckpointReader):
    """Looks into the topic, also while mirrors write it, and creates nothing."""

    def __init__(self, place: CheckpointTopic) -> None:
        self._place = place

    async def load(self) -> Mapping[str, Checkpoint]:
        raise NotImplementedError


class KafkaCheckpoints(CheckpointStore):
    """Owns the slots that were taken, as the group's coordinator gave them; what is fenced is told by the writer."""

    def __init__(
        self,
        place: CheckpointTopic,
        writer: Writer,
        fence: Fence,
        *,
        writer_id: str,
        slots: int | None = None,
        session_timeout_s: float = 6.0,
    ) -> None:
        """``writer_id`` is the transactional id of ``writer``. ``slots`` is None where any number will do."""

    async def __aenter__(self) -> Self:
        """Find the topic, or create it."""
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    @property
    def slots(self) -> int:
        """How many slots there are. Valid once entered."""
        raise NotImplementedError

    def slot_of(self, partition: str) -> int:
        raise NotImplementedError

    async def load(self) -> Mapping[str, Checkpoint]:
        raise NotImplementedError

    async def take(self, slots: Collection[int]) -> Mapping[str, Checkpoint]:
        raise NotImplementedError

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        raise NotImplementedError

    async def delete(self, partitions: Iterable[str]) -> None:
        raise NotImplementedError
