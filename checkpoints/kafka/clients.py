"""What one mirror has open on its checkpoint topic."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer

from checkpoints.base import StoreUnreachableError
from checkpoints.kafka.connection import admin_client, consumer, explained
from checkpoints.kafka.group_offsets import GroupOffsets
from checkpoints.kafka.slot_log import SlotLog
from checkpoints.kafka.topic import CheckpointTopic, TopicDesk


@contextmanager
def reached(place: CheckpointTopic) -> Iterator[None]:
    """Says where the cluster was looked for, if it does not answer."""
    try:
        with explained(f"reach Kafka for checkpoint topic {place.topic}"):
            yield
    except StoreUnreachableError as error:
        where = str(place.connection.get("bootstrap.servers"))
        # What is heard of a broker begins with its name.
        cause = error.cause if error.cause.startswith(where) else f"{where}: {error.cause}"
        raise StoreUnreachableError(error.operation, cause, error.hint) from None


class Clients:
    """Connections to a topic, and those who read with them. Used, opened and closed in one thread; blocks there."""

    def __init__(self, place: CheckpointTopic) -> None:
        self._place = place
        self._committed: Consumer | None = None
        self._log: SlotLog | None = None
        self._offsets: GroupOffsets | None = None

    def open(self) -> int | None:
        """How many slots the topic has; None, and nothing to read, where there is no such topic."""
        with reached(self._place):
            slots = TopicDesk(self._place.connection, self._place.topic).look_up()
            if slots is not None:
                self._open(slots)
            return slots

    def open_or_create(self, asked: int | None) -> int:
        """How many slots the topic has, which is created first if it is missing. Raises as ``look_up_or_create``."""
        with reached(self._place):
            slots = TopicDesk(self._place.connection, self._place.topic).look_up_or_create(asked)
            self._open(slots)
            return slots

    def identity(self) -> str | None:
        """As ``TopicDesk.identity``."""
        return TopicDesk(self._place.connection, self._place.topic).identity()

    @property
    def log(self) -> SlotLog:
        if self._log is None:
            raise RuntimeError("these clients are not open")
        return self._log

    @property
    def offsets(self) -> GroupOffsets:
        if self._offsets is None:
            raise RuntimeError("these clients are not open")
        return self._offsets

    def close(self) -> None:
        self._log = self._offsets = None
        if self._committed is not None:
            self._committed.close()
            self._committed = None

    def _open(self, slots: int) -> None:
        place = self._place
        self._committed = consumer(place.connection, place.group, "read_committed")
        self._log = SlotLog(place, slots, admin_client(place.connection), self._committed)
        self._offsets = GroupOffsets(self._committed, place.topic, place.group)
