"""Showing in a consumer group where the mirror stands."""

import logging
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from connectors.base import Clock, Place
from connectors.kafka.connection import Connection, admin_client, kafka_error, readable

log = logging.getLogger("connectors.kafka")

_EVERY_S = 1.0
_SAY_S = 60.0
_ANSWER_S = 10


class DisplayGroup:
    """Stores offsets in a group that has no members, at most once a second.

    Nothing depends on it: what fails is said now and then, and tried again. ``note`` is for any thread, the others for
    one of them. An administrator does it, and not the consumer that fetches: leaving a consumer means to wait for the
    answers to its commits.
    """

    def __init__(self, group: str, topic: str, connection: Connection, clock: Clock) -> None:
        self._group = group
        self._topic = topic
        self._connection = connection
        self._clock = clock
        self._noted: SimpleQueue[Mapping[str, Place]] = SimpleQueue()
        self._asked: dict[int, int] = {}
        """What is to be stored, and is not known to be: offsets by partition."""
        self._admin: AdminClient | None = None
        self._answer: Future[ConsumerGroupTopicPartitions] | None = None
        self._next = 0.0
        self._said = -_SAY_S

    def note(self, places: Mapping[str, Place]) -> None:
        """Checkpoints are stored at ``places``."""
        self._noted.put(places)

    def show(self) -> None:
        """Store what was noted, if it is time and the last answer is here."""
        if self._answer is not None and self._answer.done():
            self._hear(self._answer)
            self._answer = None
        if self._answer is None and self._clock.monotonic() >= self._next:
            self._store()

    def show_last(self, patience_s: float) -> None:
        """Store what was noted, if that succeeds within ``patience_s``."""
        deadline = self._clock.monotonic() + patience_s
        self._next = 0
        for _ in range(2):
            if self._answer is not None:
                with suppress(TimeoutError, KafkaException):
                    self._answer.result(max(0, deadline - self._clock.monotonic()))
            self.show()

    def _store(self) -> None:
        while not self._noted.empty():
            for partition, place in self._noted.get().items():
                if place.position is not None:
                    self._asked[int(partition)] = int(place.position) + 1
        if not self._asked:
            return
        self._next = self._clock.monotonic() + _EVERY_S
        if self._admin is None:
            self._admin = admin_client(self._connection.settings())
        each = [TopicPartition(self._topic, partition, offset) for partition, offset in self._asked.items()]
        request = [ConsumerGroupTopicPartitions(self._group, each)]
        self._answer = self._admin.alter_consumer_group_offsets(request, request_timeout=_ANSWER_S)[self._group]

    def _hear(self, answer: "Future[ConsumerGroupTopicPartitions]") -> None:
        try:
            stored = answer.result().topic_partitions or []
            failure = next((each.error for each in stored if each.error is not None), None)
        except KafkaException as error:
            failure = kafka_error(error)
        if failure is None:
            self._asked.clear()
        now = self._clock.monotonic()
        if failure is not None and now - self._said >= _SAY_S:
            self._said = now
            log.warning("cannot show offsets in group %s: %s", self._group, readable(failure.str()))
