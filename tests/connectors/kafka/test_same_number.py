"""A Kafka sink that keeps partitions: a lane's records go to the partition of its number."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import pytest

from connectors.base import Batch, RefusedError, TransientError
from connectors.kafka.sink import KafkaSink
from tests.connectors.kafka.sending import batch_of, now_ms, numbered, sink_to
from tests.connectors.kafka.test_transactions import transactional_sink
from tests.contracts.sink import Saving, deliver
from tests.support.factories import TopicFactory
from tests.support.kafka_reader import read_topic, until_settled

Open = Callable[[str], AbstractAsyncContextManager[KafkaSink]]


@pytest.fixture(params=["at_least_once", "transactions"])
def opened(request: pytest.FixtureRequest, kafka: str, topic: TopicFactory) -> Open:
    @asynccontextmanager
    async def plain(name: str) -> AsyncIterator[KafkaSink]:
        async with sink_to(kafka, name, partitioner="same_number") as sink:
            yield sink

    @asynccontextmanager
    async def transactional(name: str) -> AsyncIterator[KafkaSink]:
        async with transactional_sink(kafka, name, topic(partitions=1), partitioner="same_number") as sink:
            yield sink

    return plain if request.param == "at_least_once" else transactional


def of_lane(number: int, batch: Batch) -> Batch:
    return replace(batch, partition=str(number))


async def test_every_record_goes_to_the_partition_of_its_lane(kafka: str, topic: TopicFactory, opened: Open) -> None:
    """Whatever its key, null keys too, in the order of the lane."""
    name = topic(partitions=3)
    async with opened(name) as sink:
        scope = await sink.begin()
        answers = [
            scope.submit(str(lane), of_lane(lane, numbered(first, 100)))
            for first in range(0, 1000, 100)
            for lane in range(3)
        ]
        answers.append(scope.submit("1", of_lane(1, batch_of([(None, b"1000")]))))
        await scope.commit(Saving())
        for answer in answers:
            assert (await answer).rejected == ()
    await until_settled(kafka, name)
    written = await read_topic(kafka, name)
    for lane in range(3):
        expected = list(range(1001 if lane == 1 else 1000))
        assert [int(each.value or b"") for each in written if each.partition == lane] == expected


async def test_a_lane_without_its_partition_is_refused_and_the_others_go_on(
    kafka: str, topic: TopicFactory, opened: Open
) -> None:
    """The error says how many partitions there are and what to do; nothing of the lane is written elsewhere."""
    name = topic(partitions=2)
    async with opened(name) as sink:
        scope = await sink.begin()
        with pytest.raises(RefusedError, match=r"has 2 partitions.*source partition 2.*same_number") as told:
            scope.submit("2", of_lane(2, numbered(0, 1)))
        assert name in told.value.operation
        with pytest.raises(RefusedError, match="source partition shard-1"):
            scope.submit("shard-1", replace(numbered(0, 1), partition="shard-1"))
        answer = scope.submit("1", of_lane(1, numbered(0, 10)))
        await scope.commit(Saving())
        assert (await answer).rejected == ()
    await until_settled(kafka, name)
    assert [each.partition for each in await read_topic(kafka, name)] == [1] * 10


async def test_a_refused_record_is_found_in_its_partition(kafka: str, topic: TopicFactory) -> None:
    """What is sent again record by record keeps its partition too."""
    name = topic(partitions=3, config={"message.timestamp.before.max.ms": "3600000"})
    batch = of_lane(2, numbered(0, 100))
    times = [now_ms()] * 100
    times[50] -= 3_630_000
    batch = replace(batch, timestamps_ms=times)
    async with sink_to(kafka, name, partitioner="same_number") as sink:
        with pytest.raises(TransientError):
            await (await sink.begin()).submit("2", batch)
        (rejected,) = (await (await sink.begin()).submit("2", batch)).rejected
        assert rejected.index == 50
        await deliver(sink, of_lane(2, numbered(100, 10)))
    written = await read_topic(kafka, name)
    assert {each.partition for each in written} == {2}
    assert [int(each.value or b"") for each in written] == [number for number in range(110) if number != 50]


async def test_dead_letters_are_not_bound_to_the_lane_s_number(kafka: str, topic: TopicFactory) -> None:
    """Their topic may have fewer partitions than the sink's."""
    name, dead = topic(partitions=3), topic(partitions=1)
    async with transactional_sink(
        kafka, name, topic(partitions=1), dead_letter=dead, partitioner="same_number"
    ) as sink:
        scope = await sink.begin()
        buried = scope.bury("2", of_lane(2, numbered(0, 1)))
        answer = scope.submit("2", of_lane(2, numbered(1, 1)))
        await scope.commit(Saving())
        assert buried is not None
        await buried
        await answer
    await until_settled(kafka, dead)
    assert [each.value for each in await read_topic(kafka, dead)] == [b"0"]
