"""A Kinesis stream as a source, read with SubscribeToShard: enhanced fan-out."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Self

from connectors.base import Batch, Budget, Clock, Observer, Partition, Place
from connectors.kinesis.backoff import Backoff
from connectors.kinesis.client import Connection, connect
from connectors.kinesis.opening import Connect, in_few_tries, open_stream
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.reading.cursor import Cursor
from connectors.kinesis.reading.poll import Poll
from connectors.kinesis.reading.shard_reader import ShardReader
from connectors.kinesis.reading.tip import Tip
from connectors.kinesis.settings import FanOutSettings, KinesisSourceSettings
from connectors.kinesis.subscribing.consumer import NoRoomError, StreamConsumer
from connectors.kinesis.subscribing.fan_out_feed import FanOutFeed
from connectors.kinesis.subscribing.subscription import Subscription

log = logging.getLogger(__name__)


@asynccontextmanager
async def stream_consumer(
    connection: Connection, named: str, clock: Clock, random: Random
) -> AsyncIterator[StreamConsumer]:
    """The consumer ``named`` of a stream, for who looks or removes. Raises on entering as ``Connector`` promises."""
    async with open_stream(connection, clock, random, Observer(), connect) as stream:
        yield StreamConsumer(named, stream.watch.summary.arn, stream.api, clock)


class FanOutSource(KinesisSource):
    """As ``KinesisSource``, place by place, but that the records of a shard are sent as soon as they are there.

    A shard sends to one subscription of a consumer at a time: whoever subscribes later takes it over.
    """

    def __init__(
        self,
        settings: KinesisSourceSettings,
        fan_out: FanOutSettings,
        clock: Clock,
        random: Random,
        observer: Observer,
        connect: Connect = connect,
    ) -> None:
        super().__init__(settings, clock, random, observer, connect)
        self._fan_out = fan_out
        self._consumer: StreamConsumer | None = None

    async def __aenter__(self) -> Self:
        """Register the consumer too. Raises as ``Connector`` promises, ``NoRoomError`` among that."""
        await super().__aenter__()
        try:
            self._consumer = await self._registered()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        if self._consumer is None:
            return super().read(partition, after, budget)
        around, cursor = self._entered, Cursor(partition.id, after)
        tip = Tip(around.clock)
        subscription = Subscription(partition.id, self._consumer, budget, around)
        feed = FanOutFeed(subscription, Poll(partition.id, budget, around), tip, around)
        return ShardReader(partition.id, cursor, feed, tip, around).batches()

    async def _registered(self) -> StreamConsumer | None:
        """The consumer; None where there is no room for it and the shards are to be polled then."""
        around = self._entered
        consumer = StreamConsumer(self._fan_out.consumer, around.watch.summary.arn, around.api, around.clock)
        try:
            await in_few_tries(consumer.register, Backoff(around.clock, around.random))
        except NoRoomError as error:
            if self._fan_out.fallback == "stop":
                raise
            await asyncio.to_thread(log.warning, "fan-out: the shards are polled instead: %s", error)
            return None
        return consumer
