"""What readers of a topic cannot see: told by the brokers, for as long as it is so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.migration.log import TopicLog
from bridge.migration.measures.arrivals import arrivals
from bridge.migration.measures.ends import ends_of
from bridge.migration.measures.hidden import Hidden, hidden
from connectors.base import Clock, Observer
from connectors.kafka.source import KafkaSource
from connectors.kafka.source_settings import KafkaSourceSettings
from connectors.memory.source import MemoryStream
from tests.bridge.migration.measures.memory_log import MemoryLog
from tests.support.factories import TopicFactory
from tests.support.topic_writer import TopicMessage, open_transaction, write_topic
from tests.support.waiting import until


@asynccontextmanager
async def reading(address: str, topic: str) -> AsyncIterator[TopicLog]:
    async with KafkaSource(KafkaSourceSettings(address, topic), Clock(), Observer()) as source:
        yield TopicLog(source, ByteBudget(2**20), Clock(), lambda: Backoff(Random(1)))


async def test_what_stands_behind_an_open_transaction_is_hidden_whoever_wrote_it(
    kafka: str, topic: TopicFactory
) -> None:
    """Nothing arrives for readers, and that is no silence: partition, first hidden offset and the end are told."""
    name = topic(2)
    async with reading(kafka, name) as log:
        await asyncio.to_thread(write_topic, kafka, name, in_partitions(2, 3))
        ends = await ends_of(log)
        assert await hidden(log) == ()
        with open_transaction(kafka, name, partition=1):
            await asyncio.to_thread(write_topic, kafka, name, in_partitions(2, 10))
            assert (await arrivals(log, ends)).count == 10
            assert await hidden(log) == (Hidden("1", 3, 14),)

        async def is_seen() -> bool:
            return not await hidden(log)

        await until(is_seen, "nothing hidden behind the end of the transaction")
        assert (await arrivals(log, ends)).count == 20


async def test_a_stream_hides_nothing() -> None:
    """It has no transactions."""
    stream = MemoryStream("orders", 1, Clock())
    stream.put(b"key", b"value")
    assert await hidden(MemoryLog(stream)) == ()


def in_partitions(partitions: int, count: int) -> list[TopicMessage]:
    return [
        TopicMessage(b"key", b"value", partition=partition) for partition in range(partitions) for _ in range(count)
    ]
