"""Kafka sources for tests, topics filled through another client, and what is read of them."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from confluent_kafka import Producer

from bridge.engine.budget import ByteBudget
from connectors.base import Batch, Clock, Observer, Partition, Place, Source
from connectors.kafka.source import KafkaSource
from connectors.kafka.source_settings import KafkaSourceSettings

PATIENCE_S = 30
PROMPT_S = 8
"""Sooner than anything that waits for a broker gives up."""
LIMIT = 64 * 2**20
P0, P1 = Partition("0"), Partition("1")


def source_of(address: str, topic: str, observer: Observer | None = None, **settings: Any) -> KafkaSource:
    return KafkaSource(KafkaSourceSettings(address, topic, **settings), Clock(), observer or Observer())


def fill(address: str, topic: str, values: Sequence[bytes], *, partition: int = 0, **settings: Any) -> None:
    """Write ``values`` in order, of one key, and return when they can be read."""
    # In order also where the leader of a new topic is not ready for the first of several calls.
    ordered = {"enable.idempotence": True, "linger.ms": 5, "log_level": 0}
    producer = Producer({"bootstrap.servers": address, **ordered, **settings})
    for value in values:
        producer.produce(topic, value, b"key", partition)
    producer.flush()


def series(first: int, count: int, size: int = 0) -> list[bytes]:
    return [(b"%d" % number).ljust(size, b".") for number in range(first, first + count)]


async def take(source: Source, partition: Partition, after: Place, count: int) -> list[Batch]:
    """Batches until they hold ``count`` records; each is released."""
    return await until(source, partition, after, lambda batches: sum(map(len, batches)) >= count)


async def until(source: Source, partition: Partition, after: Place, done: Any) -> list[Batch]:
    """Batches until ``done`` is true of them; each is released."""
    batches: list[Batch] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(source.read(partition, after, ByteBudget(LIMIT))) as reading:
        async for batch in reading:
            batches.append(batch)
            batch.release()
            if done(batches):
                break
    return batches


def values(batches: Sequence[Batch]) -> list[bytes | None]:
    return [value for batch in batches for value in batch.values]
