"""The last values of some keys of a compacted topic, read completely and each record only once."""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any, cast

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from checkpoints.kafka.connection import ANSWER_S, answers, consumer, explained, explanation, kafka_error
from checkpoints.kafka.document import Author, author_of
from checkpoints.kafka.partition_reader import PartitionReader
from checkpoints.kafka.topic import CheckpointTopic

MEMORY_S = 3600.0
"""How long what was read is built upon. Well below ``delete.retention.ms``, after which a deletion cannot be seen."""

# What brokers say while a partition is new, or its leader another.
_MOVING = {
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError.FENCED_LEADER_EPOCH,
    KafkaError.UNKNOWN_LEADER_EPOCH,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._NOENT,  # noqa: SLF001  # the client's own word for a topic without leaders
}
_AGAIN_S = 0.1
_LATEST: OffsetSpec = cast("Any", OffsetSpec).latest()


@dataclass(slots=True)
class _Memory:
    """What was read of one partition: our keys' last values, and where to go on."""

    next: int = 0
    read_at: float = 0.0
    values: dict[bytes, bytes] = field(default_factory=dict)


class KeyedLog:
    """Reads partitions, each record once: a second reading goes on where the first one ended.

    Blocks; for one thread.
    """

    def __init__(self, place: CheckpointTopic, prefix: bytes, admin: AdminClient, committed: Consumer) -> None:
        """Keys that begin with ``prefix`` are ours.

        ``committed`` is a consumer with read_committed, which nobody assigns anything else while we read.
        """
        self._admin = admin
        self._committed = PartitionReader(committed, place.topic)
        self._place = place
        self._prefix = prefix
        self._memory: dict[int, _Memory] = {}

    def ends(self, partitions: Collection[int]) -> dict[int, int]:
        """The high watermark of each: what any transaction wrote before now is below it, open or not."""
        ends = self._watermarks(partitions) if partitions else {}
        for partition, end in ends.items():
            self._recall(partition, end)
        return ends

    def read(self, ends: Mapping[int, int], patience_s: float, stop: Event) -> frozenset[int]:
        """Read each partition of ``ends``, as ``ends`` told them, up to its end; those that could not be.

        What an open transaction hides is waited for, for ``patience_s``, or until ``stop`` is set.
        """
        starts = self._starts(ends)
        if not starts:
            return frozenset()
        return self._committed.read(starts, {each: ends[each] for each in starts}, self._keep, patience_s, stop)

    def values(self, partition: int) -> Mapping[bytes, bytes]:
        """The last values of our keys, as far as ``partition`` is read."""
        return self._memory[partition].values

    def reached(self, partition: int) -> int:
        """The offset at which ``partition`` is read on."""
        return self._memory[partition].next

    def hidden_authors(self, ends: Mapping[int, int], stop: Event) -> frozenset[Author]:
        """Who, of any mirror, wrote between the place up to which each partition could be read and its end."""
        starts = self._starts(ends)
        found: set[Author] = set()
        if not starts:
            return frozenset()

        def hear(partition: int, _reached: int, message: Message | None) -> None:
            if message is not None:
                # A deletion does not tell its author; who had written the value is the best guess.
                value = message.value() or self._memory[partition].values.get(message.key() or b"", b"")
                author = author_of(value)
                found.update(() if author is None else (author,))

        tail = consumer(self._place.connection, self._place.group, "read_uncommitted")
        try:
            upto = {partition: ends[partition] for partition in starts}
            PartitionReader(tail, self._place.topic).read(starts, upto, hear, 0, stop)
        finally:
            tail.close()
        return frozenset(found)

    def _starts(self, ends: Mapping[int, int]) -> dict[int, int]:
        """Where there is something to read, and from which offset on."""
        return {each: self._memory[each].next for each, end in ends.items() if self._memory[each].next < end}

    def _watermarks(self, partitions: Iterable[int]) -> dict[int, int]:
        asked = {TopicPartition(self._place.topic, partition): _LATEST for partition in partitions}
        operation = f"look up the ends of topic {self._place.topic}"
        deadline = time.monotonic() + ANSWER_S
        while True:
            futures = self._admin.list_offsets(
                asked, isolation_level=IsolationLevel.READ_UNCOMMITTED, request_timeout=ANSWER_S
            )
            try:
                return {each.partition: info.offset for each, info in answers(futures).items()}
            except KafkaException as error:
                if kafka_error(error).code() not in _MOVING or time.monotonic() > deadline:
                    raise explanation(kafka_error(error), operation) from error
            with explained(operation):
                # The client goes by the leaders that it once learned, until it is asked about the topic.
                self._admin.list_topics(self._place.topic, timeout=ANSWER_S)
            self._admin.poll(_AGAIN_S)

    def _recall(self, partition: int, end: int) -> None:
        """Forget one whose log is another than the one which was read, or whose deletions may have been missed."""
        now = time.monotonic()
        memory = self._memory.get(partition)
        if memory is None or memory.next > end or now - memory.read_at > MEMORY_S:
            memory = self._memory[partition] = _Memory()
        memory.read_at = now

    def _keep(self, partition: int, reached: int, message: Message | None) -> None:
        memory = self._memory[partition]
        memory.next = reached
        # Other mirrors' records are most of what there is.
        if message is None or (key := message.key()) is None or not key.startswith(self._prefix):
            return
        value = message.value()
        if value is None:
            memory.values.pop(key, None)
        else:
            memory.values[key] = value
