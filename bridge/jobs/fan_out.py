"""The consumer for which a mirror subscribes to its stream, looked at and removed beside the mirror."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

from bridge.config import Configuration
from bridge.keeping.changing import changeable
from connectors.base import Clock
from connectors.kinesis.answers import ConsumerAnswer
from connectors.kinesis.client import Connection
from connectors.kinesis.fan_out import stream_consumer
from connectors.kinesis.stream import StreamName
from connectors.kinesis.subscribing.consumer import StreamConsumer


@dataclass(frozen=True, slots=True)
class Consumer:
    """One that is registered."""

    arn: str
    status: str
    """``ACTIVE``, ``CREATING`` or ``DELETING``."""


async def registered(configuration: Configuration) -> Consumer | None:
    """The mirror's consumer; None where its stream has none. Raises as a connector that is entered."""
    async with _consumer(configuration) as consumer:
        return _shown(await consumer.described())


async def removed(configuration: Configuration) -> Consumer | None:
    """Deregister the mirror's consumer: which it was, or None where there is none.

    Raises as ``registered``, and ``StoreBusyError`` while somebody works on the mirror, who would register it again.
    """
    async with AsyncExitStack() as stack:
        if configuration.checkpoints != "memory":
            await stack.enter_async_context(changeable(configuration, create=False, force=False))
        consumer = await stack.enter_async_context(_consumer(configuration))
        return _shown(await consumer.remove())


@asynccontextmanager
async def _consumer(configuration: Configuration) -> AsyncIterator[StreamConsumer]:
    """Of a mirror that subscribes, or did so before it polled."""
    end = configuration.source.kinesis
    assert end is not None  # noqa: S101 - who has a topic is not asked for a consumer of a stream
    connection = Connection(StreamName.of(end.stream), end.region, end.endpoint_url, end.assume_role_arn)
    named = configuration.fan_out_consumer or configuration.group
    async with stream_consumer(connection, named, Clock(), Random()) as consumer:
        yield consumer


def _shown(consumer: ConsumerAnswer | None) -> Consumer | None:
    return None if consumer is None else Consumer(consumer.consumer_arn, consumer.consumer_status)
