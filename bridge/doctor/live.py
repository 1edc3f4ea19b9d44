"""Ends as they are, and how they are asked: what several checks need is asked for once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

from confluent_kafka.admin._acl import AclOperation

from bridge.doctor.once import Once
from bridge.doctor.sample import Sample, UnreadableError, taken, unreadable
from bridge.doctor.scene import StreamEnd, TopicEnd
from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.migration.log import StreamLog, TopicLog
from connectors.base import Clock, ConnectorError, UnreachableError
from connectors.kafka.connection import READ
from connectors.kafka.inspection import TopicDescription
from connectors.kafka.source import KafkaSource
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.services import FanOutConsumer, ReadingService

_MEMORY = 32 * 2**20
_SERVICE_S = 4.0
"""A service that is not reached from here, as in a private network, keeps nobody waiting for longer."""


@asynccontextmanager
async def stream_end(source: KinesisSource, clock: Clock, random: Random) -> AsyncIterator[StreamEnd]:
    """The stream that ``source``, which is entered, reads."""
    log = StreamLog(source, ByteBudget(_MEMORY), clock, lambda: Backoff(random))

    async def sample() -> Sample:
        with unreadable():
            return await taken(log, await source.server_ms())

    async with AsyncExitStack() as stack:
        sampled, services = Once(sample), source.reading_services()
        consumers: Once[tuple[FanOutConsumer, ...]] = Once(source.fan_out_consumers)

        async def functions() -> tuple[ReadingService, ...]:
            try:
                registered = await consumers()
            except ConnectorError:
                # Who asks for them is told why. Those that poll can be known without.
                registered = ()
            return await _in_time(services.functions(registered), "Lambda")

        async def delivery_streams() -> tuple[ReadingService, ...]:
            return await _in_time(services.delivery_streams(), "Firehose")

        feeding, delivering = Once(functions), Once(delivery_streams)
        for each in (sampled, consumers, feeding, delivering):
            stack.push_async_callback(each.aclose)
        shards = await source.open_shards()
        yield StreamEnd(source.summary, shards, sampled, source.server_ms, consumers, feeding, delivering)


@asynccontextmanager
async def topic_end(
    source: KafkaSource, topic: TopicDescription, clock: Clock, random: Random
) -> AsyncIterator[TopicEnd]:
    """The ``topic`` that ``source``, which is not entered yet, would read: nobody needs that right to write to it."""

    async def sample() -> Sample:
        if topic.may(AclOperation.READ) is False:
            raise UnreadableError(
                f"read {topic.address}", "its brokers say that we may not", f"grant {READ.permission}"
            )
        with unreadable():
            async with source:
                log = TopicLog(source, ByteBudget(_MEMORY), clock, lambda: Backoff(random))
                return await taken(log, clock.now_ms())

    sampled = Once(sample)
    try:
        yield TopicEnd(topic, sampled)
    finally:
        await sampled.aclose()


async def _in_time(asking: Awaitable[tuple[ReadingService, ...]], service: str) -> tuple[ReadingService, ...]:
    try:
        async with asyncio.timeout(_SERVICE_S):
            return await asking
    except TimeoutError:
        cause, hint = f"no answer within {_SERVICE_S:g} s", "a private network needs an endpoint of it"
        raise UnreachableError(f"ask {service} who reads the stream", cause, hint) from None
