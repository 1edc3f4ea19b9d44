"""Reading back what is in a topic, through another Kafka client than the product's."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka import AIOKafkaConsumer
from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._listoffsets import OffsetSpec

from tests.support.records import Stamp
from tests.support.waiting import DeadlineError

_POLL_MS = 200
_ANSWER_S = 10
_SETTLED_S = 60


@dataclass(frozen=True, slots=True)
class TopicRecord:
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int
    headers: tuple[tuple[str, bytes | None], ...]


async def read_topic(
    address: str, topic: str, isolation: Literal["read_committed", "read_uncommitted"] = "read_committed"
) -> list[TopicRecord]:
    """All records from the first to the end that the topic had when reading began, by partition and offset."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=address,
        isolation_level=isolation,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_POLL_MS,
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
    await consumer.start()
    try:
        return await _read_to_end(consumer)
    finally:
        await consumer.stop()


async def _read_to_end(consumer: Any) -> list[TopicRecord]:
    parts = list(consumer.assignment())
    ends = await consumer.end_offsets(parts)
    records: list[TopicRecord] = []
    while behind := [part for part in parts if await consumer.position(part) < ends[part]]:
        answer = await consumer.getmany(*behind, timeout_ms=_POLL_MS)
        records += [
            _record(message) for part, messages in answer.items() for message in messages if message.offset < ends[part]
        ]
    return sorted(records, key=lambda record: (record.partition, record.offset))


def _record(message: Any) -> TopicRecord:
    return TopicRecord(
        message.partition, message.offset, message.key, message.value, message.timestamp, tuple(message.headers)
    )


def ids_by_key(records: Iterable[TopicRecord]) -> dict[bytes, list[int]]:
    """Each key's ids of generated records, in the order of the topic. Raises where a key has two partitions."""
    ids: dict[bytes, list[int]] = {}
    homes: dict[bytes, int] = {}
    for record in records:
        if record.key is None or record.value is None:
            raise ValueError(f"not a generated record: {record}")
        if homes.setdefault(record.key, record.partition) != record.partition:
            raise ValueError(f"key {record.key!r} is in partitions {homes[record.key]} and {record.partition}")
        ids.setdefault(record.key, []).append(Stamp.of(record.value).id)
    return ids


async def until_settled(address: str, topic: str) -> None:
    """Wait until no transaction is open in ``topic``, nor one that is committed and not yet seen by readers."""
    await asyncio.to_thread(_wait_until_settled, address, topic)


def _wait_until_settled(address: str, topic: str) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    found = admin.list_topics(topic, timeout=_ANSWER_S)
    partitions = [TopicPartition(topic, number) for number in found.topics[topic].partitions]
    deadline = time.monotonic() + _SETTLED_S
    while _ends(admin, partitions, IsolationLevel.READ_COMMITTED) != _ends(
        admin, partitions, IsolationLevel.READ_UNCOMMITTED
    ):
        if time.monotonic() > deadline:
            raise DeadlineError(f"topic {topic} without an open transaction: not within {_SETTLED_S} s")
        time.sleep(_POLL_MS / 10_000)


def _ends(admin: AdminClient, partitions: list[TopicPartition], isolation: IsolationLevel) -> list[int]:
    asked = {each: OffsetSpec.latest() for each in partitions}  # type: ignore[no-untyped-call]
    futures = admin.list_offsets(asked, isolation_level=isolation, request_timeout=_ANSWER_S)
    return [futures[each].result(_ANSWER_S).offset for each in partitions]
