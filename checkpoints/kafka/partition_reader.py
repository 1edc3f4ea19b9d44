"""Reading partitions of a topic up to given ends, all at once."""

import time
from collections.abc import Callable, Mapping
from threading import Event

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from checkpoints.base import StoreUnreachableError
from checkpoints.kafka.connection import ANSWER_S, explained, explanation

Listener = Callable[[int, int, Message | None], None]
"""Hears of each step: the partition, the offset at which reading goes on there, and the record if it was one."""

_CHUNK = 5_000
_POLL_S = 0.1


class PartitionReader:
    """Reads with one consumer, which is assigned nothing between two calls. Blocks."""

    def __init__(self, consumer: Consumer, topic: str) -> None:
        self._consumer = consumer
        self._topic = topic
        self._known = False

    def read(
        self, starts: Mapping[int, int], ends: Mapping[int, int], listener: Listener, patience_s: float, stop: Event
    ) -> frozenset[int]:
        """Read each partition from its start until it has reached its end, or a while more.

        The partitions that have not: an open transaction hides what is behind it, for ``patience_s`` after all
        partitions were read as far as can be seen; or ``stop`` was set. Raises ``StoreUnreachableError`` where brokers
        do not answer.
        """
        course = _Course(dict(ends), patience_s)
        with explained(f"read topic {self._topic}"):
            self._learn_leaders()
            self._consumer.assign([TopicPartition(self._topic, each, start) for each, start in starts.items()])
            try:
                while course.behind and not stop.is_set() and not self._is_over(course):
                    self._advance(course, listener)
            finally:
                self._consumer.unassign()
        return frozenset(course.behind)

    def _learn_leaders(self) -> None:
        """Without it librdkafka asks for the leaders of an assignment after a second."""
        if not self._known:
            self._consumer.list_topics(self._topic, timeout=ANSWER_S)
            self._known = True

    def _advance(self, course: "_Course", listener: Listener) -> None:
        messages = self._consumer.consume(_CHUNK, 0)
        if not messages:
            first = self._consumer.poll(_POLL_S)
            messages = [] if first is None else [first]
        for message in messages:
            error, partition, offset = message.error(), message.partition(), message.offset()
            if error is None and partition is not None and offset is not None:
                listener(partition, offset + 1, message)
                course.reach(partition, offset + 1)
            elif error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001
                self._hear(error, course)
            elif partition is not None and offset is not None:
                # Under read_committed an event of the end tells the offset behind control records, and no record does.
                listener(partition, offset, None)
                course.seen.add(partition)
                course.reach(partition, offset)
        if messages:
            course.moved()

    def _hear(self, error: KafkaError, course: "_Course") -> None:
        """Most errors librdkafka recovers from by itself, or not in time; the rest is for a person."""
        named = explanation(error, f"read topic {self._topic}")
        if not named.retriable:
            raise named
        course.trouble = named.cause

    def _is_over(self, course: "_Course") -> bool:
        if time.monotonic() < course.deadline:
            return False
        if course.unseen:
            missing = ", ".join(map(str, sorted(course.unseen)))
            cause = f"no answer for partitions {missing} within {ANSWER_S:g} s"
            raise StoreUnreachableError(f"read topic {self._topic}", f"{cause} {course.trouble}".strip())
        return True


class _Course:
    """How far one call has come."""

    def __init__(self, ends: Mapping[int, int], patience_s: float) -> None:
        self._ends = ends
        self._patience_s = patience_s
        self._patient = False
        self.behind = set(ends)
        self.seen: set[int] = set()
        self.trouble = ""
        self.deadline = time.monotonic() + ANSWER_S

    @property
    def unseen(self) -> set[int]:
        return self.behind - self.seen

    def reach(self, partition: int, offset: int) -> None:
        if partition in self.behind and offset >= self._ends[partition]:
            self.behind.discard(partition)

    def moved(self) -> None:
        """Set the deadline anew: of an answer where one is missing, else of our patience, which is not prolonged."""
        if self.unseen:
            self.deadline = time.monotonic() + ANSWER_S
        elif not self._patient:
            self._patient = True
            self.deadline = time.monotonic() + self._patience_s
