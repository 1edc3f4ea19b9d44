"""Which partition a record is written to."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from connectors.base import Batch, RefusedError
from connectors.counted import counted
from connectors.kafka.homes import Homes
from connectors.kafka.topic import Topic

PartitionerName = Literal["murmur2", "same_number"]

BY_KEY = -1
"""librdkafka chooses, by murmur2 of the key, and any partition for a null key."""


class Partitioner(ABC):
    """Chooses for all records of a batch, or leaves it to librdkafka. The partition count must not change."""

    @abstractmethod
    def partition(self, batch: Batch) -> int:
        """Where all records of ``batch`` go, or ``BY_KEY``. Raises ``RefusedError`` where that does not exist."""

    @abstractmethod
    def decisive(self, batch: Batch) -> Sequence[int]:
        """The indexes of those records whose delivery tells that all of ``batch`` are delivered, the last included."""

    def learn(self, key: bytes | None, partition: int) -> None:
        """A record of ``key`` was delivered to ``partition``."""


class ByKey(Partitioner):
    """As every Java client does."""

    def __init__(self) -> None:
        self._homes = Homes()

    def partition(self, batch: Batch) -> int:
        return BY_KEY

    def decisive(self, batch: Batch) -> Sequence[int]:
        return self._homes.decisive(batch.keys)

    def learn(self, key: bytes | None, partition: int) -> None:
        self._homes.learn(key, partition)


class SameNumber(Partitioner):
    """From a partition of a topic to the one of the same number."""

    def __init__(self, topic: Topic) -> None:
        self._topic = topic

    def partition(self, batch: Batch) -> int:
        lane = batch.partition
        if lane.isdecimal() and int(lane) < self._topic.partitions:
            return int(lane)
        raise RefusedError(
            f"write to topic {self._topic.name}",
            f"it has {counted(self._topic.partitions, 'partition')}, and none of the number of source partition {lane}",
            "partitioner: same_number needs a topic with as many partitions as the source's",
        )

    def decisive(self, batch: Batch) -> Sequence[int]:
        return [len(batch) - 1] if len(batch) else []


PARTITIONERS: Mapping[PartitionerName, Callable[[Topic], Partitioner]] = {
    "murmur2": lambda _: ByKey(),
    "same_number": SameNumber,
}
"""What makes each, for a topic."""
