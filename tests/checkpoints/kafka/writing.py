"""Writers of a checkpoint topic, living and dead, for tests.

Tests name workers and writers as they like: what the broker sees is unique to their topic, for the broker is shared.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event, Thread
from uuid import uuid4

from confluent_kafka import Consumer, Producer, TopicPartition

from checkpoints.base import Checkpoint
from checkpoints.kafka.document import Author, encode, key_of
from checkpoints.kafka.fence import Fence, GroupFence
from checkpoints.kafka.store import KafkaCheckpoints
from checkpoints.kafka.topic import CheckpointTopic, TopicDesk
from checkpoints.kafka.writer import SlotRecord
from tests.support.waiting import wait_until

_TIMEOUT_S = 30
SLOTS = 4


_SESSIONS: Mapping[str, Mapping[str, object]] = {
    "classic": {"session.timeout.ms": 6000},
    "consumer": {"group.protocol": "consumer"},
}


def unique(what: str) -> str:
    return f"{what}-{uuid4().hex[:8]}"


def place_in(address: str, topic: str, mirror: str = "orders") -> CheckpointTopic:
    """A mirror's place in ``topic``, with a group that no other topic's mirror has."""
    return CheckpointTopic({"bootstrap.servers": address}, mirror, f"kmbridge-{mirror}-{topic}", topic)


def until_known(place: CheckpointTopic) -> CheckpointTopic:
    """``place``, once its broker has heard of the topic, which was created a moment ago."""
    desk = TopicDesk(place.connection, place.topic)
    wait_until(lambda: desk.look_up() is not None, f"{place.topic} is known")
    return place


def named(place: CheckpointTopic, name: str) -> str:
    """The id of a test's worker or writer on the broker."""
    return f"kmbridge-{place.topic}-{name}"


class TransactionWriter:
    """Writes each call's records in a transaction of its own, and remembers them."""

    def __init__(self, place: CheckpointTopic, name: str) -> None:
        self.written: list[SlotRecord] = []
        self._topic = place.topic
        self._settings = {**place.connection, "transactional.id": named(place, name), "linger.ms": 0}
        self._producer: Producer | None = None
        # One thread, so that a cancelled call comes before the next.
        self._thread = ThreadPoolExecutor(1)

    async def write(self, records: Sequence[SlotRecord]) -> None:
        await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, self._write, records))

    def _write(self, records: Sequence[SlotRecord]) -> None:
        if self._producer is None:
            self._producer = Producer(self._settings)
            self._producer.init_transactions(_TIMEOUT_S)
        self._producer.begin_transaction()
        for record in records:
            self._producer.produce(self._topic, record.value, record.key, record.slot)
        self._producer.commit_transaction(_TIMEOUT_S)
        self.written += records


class OpenTransaction:
    """Some checkpoints that a writer has written into a slot, in a transaction which is open until it is told."""

    def __init__(self, place: CheckpointTopic, writer: str, slot: int, checkpoints: Mapping[str, Checkpoint]) -> None:
        writer = named(place, writer)
        settings = {**place.connection, "transactional.id": writer, "transaction.timeout.ms": 60_000, "linger.ms": 0}
        self._place = place
        # It learns of its death only where a test asks it to work on.
        self._producer = Producer({**settings, "log_level": 0})
        self._producer.init_transactions(_TIMEOUT_S)
        self._producer.begin_transaction()
        for partition, each in checkpoints.items():
            value = encode(each, Author(writer, place.group))
            self._producer.produce(place.topic, value, key_of(place.mirror, partition), slot)
        assert self._producer.flush(_TIMEOUT_S) == 0

    def send_offset(self, member: "Member", slot: int) -> None:
        metadata = member.metadata()
        self._producer.send_offsets_to_transaction([TopicPartition(self._place.topic, slot, 1)], metadata, _TIMEOUT_S)

    def commit(self) -> None:
        self._producer.commit_transaction(_TIMEOUT_S)


class Member:
    """A live member of a mirror's group under a worker's id. It stays until it leaves."""

    def __init__(self, place: CheckpointTopic, worker: str, protocol: str) -> None:
        settings = {
            "client.id": named(place, worker),
            "group.id": place.group,
            "enable.auto.commit": False,
            "log_level": 0,
        }
        self.consumer = Consumer({**place.connection, **settings, **_SESSIONS[protocol]})
        self._leaving = Event()
        self._wanted: SimpleQueue[Future[object]] = SimpleQueue()
        self._thread = Thread(target=self._stay, daemon=True)
        self.consumer.subscribe([place.topic])
        wait_until(self._joined, f"{worker} joins {place.group}")
        self._thread.start()

    def metadata(self) -> object:
        """The group's metadata, fetched by the polling thread: librdkafka lets no other in between."""
        answer: Future[object] = Future()
        self._wanted.put(answer)
        return answer.result(_TIMEOUT_S)

    def _joined(self) -> bool:
        self.consumer.poll(0.05)
        return bool(self.consumer.assignment())

    def _stay(self) -> None:
        while not self._leaving.is_set():
            self.consumer.poll(0.05)
            while not self._wanted.empty():
                self._wanted.get().set_result(self.consumer.consumer_group_metadata())

    def leave(self) -> None:
        if not self._leaving.is_set():
            self._leaving.set()
            self._thread.join()
            self.consumer.close()


@contextmanager
def member_of(place: CheckpointTopic, worker: str, protocol: str = "classic") -> Iterator[Member]:
    member = Member(place, worker, protocol)
    try:
        yield member
    finally:
        member.leave()


class WatchedFence:
    """A fence that tells how often it was asked who is dead, and by the names of the test whom it has ended."""

    def __init__(self, place: CheckpointTopic) -> None:
        self._fence = GroupFence(place.connection)
        self._prefix = named(place, "")
        self.asked = 0
        self.ended: list[str] = []

    def dead(self, authors: Collection[Author]) -> frozenset[Author]:
        found = self._fence.dead(authors)
        self.asked += 1
        return found

    def end(self, author: Author, stop: Event) -> bool:
        done = self._fence.end(author, stop)
        if done:
            self.ended.append(author.writer.removeprefix(self._prefix))
        return done


def produce(address: str, topic: str, slot: int, records: Mapping[bytes, bytes | None]) -> None:
    """Write ``records`` as somebody who knows nothing of checkpoints."""
    producer = Producer({"bootstrap.servers": address, "linger.ms": 0})
    for key, value in records.items():
        producer.produce(topic, value, key, slot)
    assert producer.flush(_TIMEOUT_S) == 0


def store_in(
    place: CheckpointTopic, fence: Fence, writer: str, slots: int | None = None
) -> tuple[KafkaCheckpoints, TransactionWriter]:
    """A store and the writer that it was given."""
    records = TransactionWriter(place, writer)
    return KafkaCheckpoints(place, records, fence, writer_id=named(place, writer), slots=slots), records
