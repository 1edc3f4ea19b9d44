"""The consumer of a mirror is registered once, waited for, made anew where it is gone, and removed on request."""

import asyncio
from random import Random

import pytest

from connectors.base import Clock, Observer, Place, RefusedError
from connectors.kinesis.api import StreamApi
from connectors.kinesis.fan_out import FanOutSource
from connectors.kinesis.settings import FanOutSettings, KinesisSourceSettings
from connectors.kinesis.stream import StreamName
from connectors.kinesis.subscribing.consumer import NoRoomError, StreamConsumer
from tests.connectors.kinesis.fake import ARN, CountingObserver
from tests.connectors.kinesis.fake_fan_out import FanOutKinesis, opened
from tests.connectors.kinesis.reading import values
from tests.simulation.virtual_time import VirtualClock, run
from tests.support.factories import StreamFactory
from tests.support.kinesis_api import REGION, kinesis_session

FIRST = "shardId-000000000000"
NAME = "kmbridge-orders"


def test_a_consumer_is_registered_once() -> None:
    """The next start, and another worker at the same moment, use the one that is there."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        record = fake.put(b"there")
        async with opened(fake, clock) as one, opened(fake, clock):
            assert await values(one, FIRST, Place(), 1) == [record.data]
        async with opened(fake, clock):
            assert [*fake.consumers] == [NAME]
        assert fake.count("RegisterStreamConsumer") == 1

    run(main)


def test_two_that_register_it_at_once_share_it() -> None:
    """The one that comes second is told that it is there, and takes it."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        consumers = [StreamConsumer(NAME, ARN, StreamApi(fake, StreamName("orders")), clock) for _ in range(2)]
        await asyncio.gather(*(each.register() for each in consumers))
        assert fake.count("RegisterStreamConsumer") == 2
        assert len({await each.arn() for each in consumers}) == 1

    run(main)


def test_a_new_consumer_is_waited_for_by_one_for_all_shards() -> None:
    """AWS takes a while to make it ACTIVE: nobody subscribes before, and describing has limits too."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FanOutKinesis(clock, shards=50), CountingObserver()
        fake.creating_s = 40
        records = [fake.put(b"there", shard=shard) for shard in fake.shards]
        async with opened(fake, clock, observer) as source:
            found = await asyncio.gather(*(values(source, shard, Place(), 1) for shard in fake.shards))
        assert found == [[each.data] for each in records]
        assert fake.count("DescribeStreamConsumer") < 50
        assert fake.count("SubscribeToShard") == 50

    run(main)


def test_a_consumer_that_is_removed_under_its_mirror_is_registered_anew() -> None:
    """Reading goes on behind the last record, by an ARN that is another one."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.life_s = 20
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 2))
            first = fake.put(b"first").data
            await clock.sleep(10)
            fake.consumers.clear()
            await clock.sleep(20)
            second = fake.put(b"second").data
            assert await reading == [first, second]
        assert fake.count("RegisterStreamConsumer") == 2

    run(main)


def test_a_stream_with_no_room_for_another_consumer_is_refused() -> None:
    """Once it is sure that the limit does not pass; the message says both ways out."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.consumer_limit = 0
        with pytest.raises(NoRoomError, match="fan_out_fallback"):
            async with opened(fake, clock):
                pass
        assert fake.count("RegisterStreamConsumer") == 3

    run(main)


async def test_a_stream_with_no_room_is_polled_if_told_so(
    kinesis: str, stream: StreamFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """Twenty consumers are what a stream may have: the log says what is done instead."""
    settings = KinesisSourceSettings(stream(shards=1), REGION, kinesis)
    async with kinesis_session(kinesis) as client:
        await client.put_record(StreamName=settings.stream, PartitionKey="k", Data=b"there")
        summary = await client.describe_stream_summary(StreamName=settings.stream)
        arn = summary["StreamDescriptionSummary"]["StreamARN"]
        for number in range(20):
            await client.register_stream_consumer(StreamARN=arn, ConsumerName=f"other-{number}")
        fan_out = FanOutSettings(NAME, "polling")
        async with FanOutSource(settings, fan_out, Clock(), Random(1), Observer()) as source:
            assert await values(source, FIRST, Place(), 1) == [b"there"]
        names = [each["ConsumerName"] for each in (await client.list_stream_consumers(StreamARN=arn))["Consumers"]]
    assert NAME not in names
    assert "the shards are polled instead" in caplog.text


def test_a_limit_that_passes_is_waited_out() -> None:
    """Five at a time may be in the making."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.fail("RegisterStreamConsumer", "LimitExceededException", "LimitExceededException")
        async with opened(fake, clock):
            assert [*fake.consumers] == [NAME]

    run(main)


def test_a_consumer_that_is_given_by_its_arn_is_used_as_it_is() -> None:
    """Never registered: without it there is nothing to read with. Never removed either."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        given = FanOutSettings(f"{ARN}/consumer/others:1")
        with pytest.raises(RefusedError, match="no such consumer"):
            async with opened(fake, clock, fan_out=given):
                pass
        fake.consumers["others"] = 0
        record = fake.put(b"there")
        async with opened(fake, clock, fan_out=given) as source:
            assert await values(source, FIRST, Place(), 1) == [record.data]
        assert fake.count("RegisterStreamConsumer") == 0
        consumer = StreamConsumer(given.consumer, ARN, StreamApi(fake, StreamName("orders")), clock)
        with pytest.raises(RefusedError, match="whoever registered it"):
            await consumer.remove()

    run(main)


def test_a_consumer_is_removed_on_request() -> None:
    """What it was is told; where there is none there is nothing to do."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        consumer = StreamConsumer(NAME, ARN, StreamApi(fake, StreamName("orders")), clock)
        assert await consumer.remove() is None
        await consumer.register()
        removed = await consumer.remove()
        assert removed is not None
        assert removed.consumer_name == NAME
        assert not fake.consumers

    run(main)
