"""The log of slots, read completely and only once."""

import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Any, cast

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from checkpoints.base import Checkpoint, StoreFormatError
from checkpoints.kafka.connection import ANSWER_S, answers, consumer, explained, explanation, kafka_error
from checkpoints.kafka.document import Author, author_of, decode, key_prefix, partition_of
from checkpoints.kafka.partition_reader import PartitionReader
from checkpoints.kafka.slots import slot_of
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


@dataclass(frozen=True, slots=True)
class Reading:
    """What a mirror's slots hold: complete but for those in ``held``, whose ends an open transaction hides."""

    checkpoints: Mapping[str, Checkpoint]
    authors: Mapping[int, frozenset[Author]]
    """Who wrote the checkpoints of each slot."""
    reached: Mapping[int, int]
    """The offset at which each slot is read on."""
    held: frozenset[int]


@dataclass(slots=True)
class _Memory:
    """What was read of one slot: our keys' last values, and where to go on."""

    next: int = 0
    read_at: float = 0.0
    values: dict[bytes, bytes] = field(default_factory=dict)


class SlotLog:
    """Reads slots, each record once: a second reading goes on where the first one ended. Blocks; for one thread."""

    def __init__(self, place: CheckpointTopic, slots: int, admin: AdminClient, committed: Consumer) -> None:
        """``committed`` is a consumer with read_committed, which nobody assigns anything else while we read."""
        self._admin = admin
        self._committed = PartitionReader(committed, place.topic)
        self._place = place
        self._slots = slots
        self._prefix = key_prefix(place.mirror)
        self._memory: dict[int, _Memory] = {}

    def ends(self, slots: Collection[int]) -> dict[int, int]:
        """The high watermark of each slot: what any transaction wrote before now is below it, open or not."""
        ends = self._watermarks(slots) if slots else {}
        for slot, end in ends.items():
            self._recall(slot, end)
        return ends

    def read(self, ends: Mapping[int, int], patience_s: float, stop: Event) -> Reading:
        """The mirror's checkpoints in the slots of ``ends``, each read up to its end.

        A slot whose end is hidden by an open transaction is waited for, for ``patience_s``, and then is among the held
        ones. So it is where ``stop`` was set. Raises ``StoreFormatError`` for what is not ours to read.
        """
        starts = {slot: self._memory[slot].next for slot, end in ends.items() if self._memory[slot].next < end}
        held: frozenset[int] = frozenset()
        if starts:
            held = self._committed.read(starts, {slot: ends[slot] for slot in starts}, self._keep, patience_s, stop)
        return self._reading(ends, held)

    def hidden_authors(self, ends: Mapping[int, int], stop: Event) -> frozenset[Author]:
        """Who, of any mirror, wrote between the place up to which each slot could be read and its end."""
        starts = {slot: self._memory[slot].next for slot, end in ends.items() if self._memory[slot].next < end}
        found: set[Author] = set()
        if not starts:
            return frozenset()

        def hear(slot: int, _reached: int, message: Message | None) -> None:
            if message is not None:
                # A deletion does not tell its author; who had written the checkpoint is the best guess.
                value = message.value() or self._memory[slot].values.get(message.key() or b"", b"")
                author = author_of(value)
                found.update(() if author is None else (author,))

        tail = consumer(self._place.connection, self._place.group, "read_uncommitted")
        try:
            upto = {slot: ends[slot] for slot in starts}
            PartitionReader(tail, self._place.topic).read(starts, upto, hear, 0, stop)
        finally:
            tail.close()
        return frozenset(found)

    def _watermarks(self, slots: Iterable[int]) -> dict[int, int]:
        asked = {TopicPartition(self._place.topic, slot): _LATEST for slot in slots}
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

    def _recall(self, slot: int, end: int) -> None:
        """Forget a slot whose log is another than the one which was read, or whose deletions may have been missed."""
        now = time.monotonic()
        memory = self._memory.get(slot)
        if memory is None or memory.next > end or now - memory.read_at > MEMORY_S:
            memory = self._memory[slot] = _Memory()
        memory.read_at = now

    def _keep(self, slot: int, reached: int, message: Message | None) -> None:
        memory = self._memory[slot]
        memory.next = reached
        # Other mirrors' records are most of what there is.
        if message is None or (key := message.key()) is None or not key.startswith(self._prefix):
            return
        value = message.value()
        if value is None:
            memory.values.pop(key, None)
        else:
            memory.values[key] = value

    def _reading(self, slots: Collection[int], held: frozenset[int]) -> Reading:
        checkpoints: dict[str, Checkpoint] = {}
        authors: dict[int, set[Author]] = {slot: set() for slot in slots}
        for slot in slots:
            for key, value in self._memory[slot].values.items():
                partition = self._partition(key, slot)
                checkpoints[partition], author = decode(value, self._named(key, slot))
                authors[slot].add(author)
        return Reading(
            checkpoints,
            {slot: frozenset(each) for slot, each in authors.items()},
            {slot: self._memory[slot].next for slot in slots},
            held,
        )

    def _partition(self, key: bytes, slot: int) -> str:
        """The partition that ``key`` in ``slot`` is of. Raises ``StoreFormatError`` where it belongs elsewhere."""
        partition = partition_of(key, self._prefix, self._named(key, slot))
        home = slot_of(partition, self._slots)
        if home != slot:
            raise StoreFormatError(
                f"read the checkpoint {self._named(key, slot)}",
                f"with {self._slots} slots it belongs in slot {home}: partitions were added to the topic",
                "name a new topic with checkpoints.kafka.topic, and set there where the mirror stands",
            )
        return partition

    def _named(self, key: bytes, slot: int) -> str:
        return f"{key.decode(errors='replace')} in slot {slot} of topic {self._place.topic}"
