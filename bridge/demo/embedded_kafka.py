"""A Kafka that needs nothing but Python: librdkafka's own imitation of a cluster, spoken to over TCP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from confluent_kafka import Producer

_REQUEST_S = 10.0


@dataclass(frozen=True, slots=True)
class TopicAddress:
    server: str
    topic: str
    partitions: int


@asynccontextmanager
async def embedded_kafka(topic: str) -> AsyncIterator[TopicAddress]:
    """A cluster of one broker with one topic, on a free port of this machine, for as long as the context lasts.

    It keeps about 5 MiB a partition and then drops the oldest: who wants to see everything reads along.
    """
    # The cluster lives as long as the client that it belongs to.
    owner = Producer({"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0})
    try:
        yield await asyncio.to_thread(_with_topic, owner, topic)
    finally:
        await asyncio.to_thread(owner.close)


def _with_topic(owner: Producer, topic: str) -> TopicAddress:
    """Asking for a topic makes it."""
    found = owner.list_topics(topic, timeout=_REQUEST_S)
    (broker,) = found.brokers.values()
    return TopicAddress(f"{broker.host}:{broker.port}", topic, len(found.topics[topic].partitions))
