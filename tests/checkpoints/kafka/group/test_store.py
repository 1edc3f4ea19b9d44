"""Checkpoints in a group's offsets, beside others who use the group, at a real broker."""

import asyncio
from dataclasses import replace

import pytest
from confluent_kafka import Consumer, TopicPartition

from checkpoints.base import Checkpoint, StoreFormatError, StoreUnreachableError
from checkpoints.kafka.group import offsets
from checkpoints.kafka.group.committer import ConsumerGroup
from checkpoints.kafka.group.document import LONGEST
from checkpoints.kafka.group.store import GroupCheckpointReader
from tests.checkpoints.kafka.group.grouping import group_in, outside_store, reset_offsets
from tests.contracts.checkpoint_store import GAP, checkpoint
from tests.support.factories import OwnKafka
from tests.support.kafka import KafkaBroker
from tests.support.ports import HOST, free_port
from tests.support.topics import add_partitions, create_topic

pytestmark = pytest.mark.broker


def unknown(position: str | None) -> Checkpoint:
    """A checkpoint of which nothing but its place is known."""
    return Checkpoint(position, None, finished=False, saved_ms=0, source="", sink="")


def plain_committed(place: ConsumerGroup, partitions: int) -> list[int]:
    """As a consumer finds it that joins this group with nothing of ours."""
    consumer = Consumer({**place.connection, "group.id": place.group})
    try:
        found = consumer.committed([TopicPartition(place.topic, each) for each in range(partitions)], 30)
        return [each.offset for each in found]
    finally:
        consumer.close()


async def test_offsets_are_those_of_the_next_records_for_every_tool(place: ConsumerGroup) -> None:
    """So the lag that tools show is right."""
    async with outside_store(place) as store:
        await store.save({"0": checkpoint("41"), "2": checkpoint(None)})
    assert await asyncio.to_thread(plain_committed, place, 3) == [42, -1001, 0]


async def test_a_group_that_another_tool_moved_stands_where_it_was_moved_to(place: ConsumerGroup) -> None:
    """Nothing that was known of the former place is taken for the new one's."""
    async with outside_store(place) as store:
        await store.save({"0": checkpoint("41", gaps=(GAP,)), "1": checkpoint("41")})
        await reset_offsets(place, [(0, 7), (3, 0)])
        moved = {"0": unknown("6"), "1": checkpoint("41"), "3": unknown(None)}
        assert await store.load() == moved
        assert await store.take([0, 2, 3]) == {"0": unknown("6"), "3": unknown(None)}
    assert await GroupCheckpointReader(place).load() == moved


async def test_what_was_forgotten_can_be_saved_and_moved_again(place: ConsumerGroup) -> None:
    """It is as if it had never been there."""
    async with outside_store(place) as store:
        await store.save({"0": checkpoint("41"), "1": checkpoint("41")})
        await store.delete(["0", "1"])
        assert await store.load() == {}
        await store.save({"0": checkpoint("1")})
        await reset_offsets(place, [(1, 3)])
        assert await store.load() == {"0": checkpoint("1"), "1": unknown("2")}


async def test_partitions_that_a_topic_gains_are_slots(kafka: str, place: ConsumerGroup) -> None:
    """A store that is entered finds them."""
    async with outside_store(place) as store:
        await asyncio.to_thread(add_partitions, kafka, place.topic, 6)
        await store.save({"5": checkpoint("1")})
        assert store.slot_of("5") == 5
        assert await store.take([4, 5]) == {"5": checkpoint("1")}
        assert await store.load() == {"5": checkpoint("1")}


async def test_the_longest_metadata_pass_a_broker_with_its_defaults(place: ConsumerGroup) -> None:
    """Also of letters that are two bytes each."""
    saved = replace(checkpoint("1"), window="ä" * (LONGEST // 2 - 200))
    async with outside_store(place) as store:
        await store.save({"0": saved})
        assert await store.load() == {"0": saved}
        await store.save({"0": replace(saved, window="ä" * LONGEST, gaps=(GAP,) * 500)})
        found = await store.load()
    assert found["0"].window == ""
    assert found["0"].gaps


async def test_a_partition_that_is_no_number_is_refused_by_name(place: ConsumerGroup) -> None:
    """Nothing is saved then."""
    async with outside_store(place) as store:
        with pytest.raises(StoreFormatError, match="shardId-1"):
            await store.save({"0": checkpoint("1"), "shardId-1": checkpoint("1")})
        assert await store.load() == {}


async def test_a_topic_that_does_not_exist_has_no_checkpoints(kafka: str) -> None:
    """Looking creates neither topic nor group."""
    assert await GroupCheckpointReader(group_in(kafka, "nowhere")).load() == {}


async def test_a_broker_of_which_the_coordinator_only_begins_is_waited_for(own_kafka: OwnKafka) -> None:
    """The first group that a cluster sees makes it create its topic of offsets; clients die of less."""
    broker = await asyncio.to_thread(own_kafka)
    await asyncio.to_thread(create_topic, broker.address, "orders", 2)
    place = group_in(broker.address, "orders")
    assert await GroupCheckpointReader(place).load() == {}
    async with outside_store(place) as store:
        await store.save({"0": checkpoint("1")})
        await asyncio.to_thread(restart, broker)
        assert await store.load() == {"0": checkpoint("1")}


def restart(broker: KafkaBroker) -> None:
    broker.stop()
    broker.start()


async def test_a_cluster_that_does_not_answer_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as what it is, and can be tried again."""
    monkeypatch.setattr(offsets, "ANSWER_S", 1.0)
    place = group_in(f"{HOST}:{free_port()}", "orders")
    for attempt in (outside_store(place).__aenter__, GroupCheckpointReader(place).load):
        with pytest.raises(StoreUnreachableError, match=r"offsets of group kmbridge-orders-orders"):
            await attempt()


def test_the_connections_secrets_are_not_in_its_repr() -> None:
    """What may be logged holds no password."""
    assert "hunter2" not in repr(ConsumerGroup({"sasl.password": "hunter2"}, "kmbridge-orders", "orders"))
