"""Showing in a consumer group where the mirror stands."""

import logging
from collections.abc import Mapping
from queue import SimpleQueue

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.base import Clock, Place
from connectors.kafka.connection import kafka_error, readable

log = logging.getLogger("connectors.kafka")

_EVERY_S = 1.0
_SAY_S = 60.0


class DisplayGroup:
    """Commits offsets to the consumer's group without being a member, at most once a second.

    Nothing depends on it: what fails is said now and then, and comes again with the next places. ``note`` is for any
    thread, the others for the one that polls the consumer.
    """

    def __init__(self, name: str | None, topic: str, clock: Clock) -> None:
        self._name = name
        self._topic = topic
        self._clock = clock
        self._noted: SimpleQueue[Mapping[str, Place]] = SimpleQueue()
        self._waiting: dict[int, int] = {}
        self._under_way = 0
        self._next = 0.0
        self._said = -_SAY_S

    def note(self, places: Mapping[str, Place]) -> None:
        """Checkpoints are stored at ``places``. Nothing is shown where there is no group."""
        if self._name is not None:
            self._noted.put(places)

    @property
    def is_settled(self) -> bool:
        """Whether all that was noted is told, as far as it can be."""
        return self._noted.empty() and not self._waiting and not self._under_way

    def show(self, consumer: Consumer) -> None:
        """Commit what was noted, if it is time and the last answer is here."""
        if self._clock.monotonic() >= self._next and not self._under_way:
            self.show_now(consumer)

    def show_now(self, consumer: Consumer) -> None:
        """Commit what was noted."""
        while not self._noted.empty():
            places = self._noted.get()
            self._waiting.update(
                (int(partition), int(place.position) + 1)
                for partition, place in places.items()
                if place.position is not None
            )
        if not self._waiting:
            return
        self._next = self._clock.monotonic() + _EVERY_S
        offsets = [TopicPartition(self._topic, partition, offset) for partition, offset in self._waiting.items()]
        self._waiting.clear()
        try:
            consumer.commit(offsets=offsets, asynchronous=True)
            self._under_way += 1
        except KafkaException as error:
            self._say(kafka_error(error))

    def heard(self, error: KafkaError | None, offsets: list[TopicPartition]) -> None:
        """The answer to a commit."""
        self._under_way -= 1
        failure = error or next((each.error for each in offsets if each.error is not None), None)
        if failure is not None:
            self._say(failure)

    def _say(self, error: KafkaError) -> None:
        now = self._clock.monotonic()
        if now - self._said >= _SAY_S:
            self._said = now
            log.warning("cannot show offsets in group %s: %s", self._name, readable(error.str()))
