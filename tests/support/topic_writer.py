"""Writing into a topic as Java's producers do, through another client than the one that reads it back."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import time_ns

from confluent_kafka import KafkaError, Message, Producer

from tests.support.records import TestRecord

Headers = tuple[tuple[str, bytes | None], ...]
Report = Callable[[KafkaError | None, Message], None]

_FLUSH_S = 60
_ROOM_S = 0.1
_SETTINGS: dict[str, str | int | float | bool] = {
    "partitioner": "murmur2_random",
    "enable.idempotence": True,
    "linger.ms": 5,
    "message.max.bytes": 8 * 1024 * 1024,
    "log_level": 0,
}


@dataclass(frozen=True, slots=True)
class TopicMessage:
    """A record before it is sent, of any shape that Kafka takes."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp_ms: int = 0
    """0: the time at which it is sent."""
    partition: int = -1
    """-1: that of the key, as every Java client chooses it."""


def messages(records: Iterable[TestRecord]) -> Iterator[TopicMessage]:
    """``records``, stamped when they are asked for."""
    return (TopicMessage(record.key.encode(), record.value(time_ns())) for record in records)


def write_topic(address: str, topic: str, sent: Iterable[TopicMessage]) -> int:
    """Send them all in order and return their number. Blocks. Raises ``OSError`` where one is refused."""
    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            failures.append(error)

    producer = Producer({**_SETTINGS, "bootstrap.servers": address})
    count = 0
    for each in sent:
        while not _taken(producer, topic, each, delivered):
            producer.poll(_ROOM_S)
        producer.poll(0)
        count += 1
    left = producer.flush(_FLUSH_S)
    if failures or left:
        raise OSError(f"{len(failures)} of {count} records refused, {left} unanswered: {failures[:3]}")
    return count


def abort_transaction(address: str, topic: str) -> None:
    """Write a record in a transaction that is given up. Blocks; its markers may take some moments to be written."""
    producer = Producer({"bootstrap.servers": address, "transactional.id": f"aborts-{topic}", "log_level": 0})
    producer.init_transactions(_FLUSH_S)
    producer.begin_transaction()
    producer.produce(topic, b"given up", b"key", 0)
    producer.flush(_FLUSH_S)
    producer.abort_transaction(_FLUSH_S)


@contextmanager
def open_transaction(address: str, topic: str, partition: int = 0) -> Iterator[None]:
    """A record of a transaction that is open while the context lasts, and given up then. Blocks."""
    producer = Producer({"bootstrap.servers": address, "transactional.id": f"open-{topic}", "log_level": 0})
    producer.init_transactions(_FLUSH_S)
    producer.begin_transaction()
    producer.produce(topic, b"not to be seen", b"key", partition)
    producer.flush(_FLUSH_S)
    try:
        yield
    finally:
        producer.abort_transaction(_FLUSH_S)


def _taken(producer: Producer, topic: str, sent: TopicMessage, delivered: Report) -> bool:
    """Whether there was room for it."""
    try:
        producer.produce(
            topic,
            sent.value,
            sent.key,
            sent.partition,
            on_delivery=delivered,
            timestamp=sent.timestamp_ms,
            headers=list(sent.headers),
        )
    except BufferError:
        return False
    return True
