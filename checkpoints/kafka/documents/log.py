"""The documents of a mirror as the checkpoint topic's log has them."""

from threading import Event

from checkpoints.base import CheckpointError
from checkpoints.documents import Document
from checkpoints.kafka.clients import reached
from checkpoints.kafka.connection import consumer
from checkpoints.kafka.documents.record import SLOT, decode, key_of, key_prefix
from checkpoints.kafka.keyed_log import KeyedLog
from checkpoints.kafka.topic import CheckpointTopic, TopicDesk


class DocumentLog:
    """Reads what was committed. Joins no group. Blocks; used and closed in one thread."""

    def __init__(self, place: CheckpointTopic, patience_s: float) -> None:
        """``patience_s`` is how long a transaction is waited for that is open when it is read, whoever's it is."""
        self._place = place
        self._patience_s = patience_s
        with reached(place):
            self._desk = TopicDesk(place.connection, place.topic)
            self._committed = consumer(place.connection, place.group, "read_committed")
        self._log = KeyedLog(place, key_prefix(place.mirror), self._desk.admin, self._committed)

    def find_topic(self) -> bool:
        """Whether the topic is there."""
        with reached(self._place):
            return self._desk.look_up() is not None

    def find_or_create_topic(self, slots: int | None) -> None:
        """As ``TopicDesk.look_up_or_create``, but a topic that is there may have any number of slots."""
        with reached(self._place):
            self._desk.look_up_or_create(slots if self._desk.look_up() is None else None)

    def read(self, name: str, stop: Event) -> Document | None:
        """What was committed last of all that was written before now.

        Raises ``CheckpointError`` where an open transaction hides it, or ``stop`` was set.
        """
        ends = self._log.ends((SLOT,))
        if self._log.read(ends, self._patience_s, stop):
            writers = ", ".join(sorted(author.writer for author in self._log.hidden_authors(ends, stop)))
            raise CheckpointError(
                f"read slot {SLOT} of topic {self._place.topic}",
                f"an open transaction hides what is there, written by {writers or 'unknown'}",
                "it ends by itself within its transaction.timeout.ms, or when a worker of its mirror starts",
            )
        value = self._log.values(SLOT).get(key_of(self._place.mirror, name))
        place = f"document {name} of {self._place.mirror} in slot {SLOT} of topic {self._place.topic}"
        return None if value is None else decode(value, place)

    def close(self) -> None:
        self._committed.close()
