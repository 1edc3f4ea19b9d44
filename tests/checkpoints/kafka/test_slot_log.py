"""What is read from the slots, and what is refused."""

import asyncio
from contextlib import closing
from threading import Event

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from checkpoints.base import Checkpoint, StoreFormatError
from checkpoints.kafka.clients import Clients
from checkpoints.kafka.document import Author, encode
from checkpoints.kafka.fence import GroupFence
from checkpoints.kafka.store import KafkaCheckpointReader, KafkaCheckpoints
from checkpoints.kafka.topic import CheckpointTopic
from tests.checkpoints.kafka.writing import SLOTS, TransactionWriter, place_in, produce, store_in, unique, until_known
from tests.contracts.checkpoint_store import checkpoint
from tests.support.factories import TopicFactory

SOMEBODY = Author("kmbridge-somebody-0", "kmbridge-somebody")


def store_for(place: CheckpointTopic) -> tuple[KafkaCheckpoints, TransactionWriter]:
    return store_in(place, GroupFence(place.connection), f"{unique('worker')}-0")


async def test_a_newer_versions_checkpoint_is_refused_with_its_place(kafka: str, place: CheckpointTopic) -> None:
    """The error names topic, slot and key, and what to upgrade; the worker takes nothing."""
    await asyncio.to_thread(produce, kafka, place.topic, 2, {b"orders/6": b'{"version": 2}'})
    store, _ = store_for(place)
    async with store:
        with pytest.raises(StoreFormatError, match=rf"orders/6 in slot 2 of topic {place.topic}.*upgrade this worker"):
            await store.take(range(SLOTS))


@pytest.mark.parametrize("value", [b"hello", b"", b"{}"])
async def test_garbage_under_our_key_is_refused(kafka: str, place: CheckpointTopic, value: bytes) -> None:
    """What somebody else wrote there is left as it is."""
    await asyncio.to_thread(produce, kafka, place.topic, 2, {b"orders/6": value})
    with pytest.raises(StoreFormatError, match=r"orders/6 in slot 2.*not a checkpoint"):
        await KafkaCheckpointReader(place).load()


async def test_a_key_that_is_no_text_is_refused(kafka: str, place: CheckpointTopic) -> None:
    """Nothing under our name is skipped."""
    await asyncio.to_thread(produce, kafka, place.topic, 2, {b"orders/\xff": b"{}"})
    with pytest.raises(StoreFormatError, match="not UTF-8"):
        await KafkaCheckpointReader(place).load()


async def test_other_mirrors_records_are_skipped_whatever_they_hold(kafka: str, place: CheckpointTopic) -> None:
    """A mirror's upgrade, or another tool in the topic, is no concern of ours."""
    foreign = {b"payments/6": b'{"version": 99}', b"orders-2/6": b"garbage", b"orders": b"", b"\xff": None}
    await asyncio.to_thread(produce, kafka, place.topic, 2, foreign)
    store, _ = store_for(place)
    async with store:
        await store.save({"6": checkpoint("1")})
        assert await store.take([2]) == {"6": checkpoint("1")}


async def test_a_checkpoint_in_another_slot_than_its_own_is_refused(kafka: str, place: CheckpointTopic) -> None:
    """After partitions were added who takes the right slot would find nothing there, and begin anew."""
    await asyncio.to_thread(produce, kafka, place.topic, 1, {b"orders/6": encode(checkpoint("1"), SOMEBODY)})
    store, _ = store_for(place)
    async with store:
        with pytest.raises(StoreFormatError, match=r"orders/6 in slot 1.*belongs in slot 2: partitions were added"):
            await store.take([2])
        with pytest.raises(StoreFormatError, match=r"take slot 4.*were added"):
            await store.take([4])


async def test_deleted_checkpoints_stay_deleted_for_later_owners(place: CheckpointTopic) -> None:
    """A deletion is a record like others, in the slot of its partition."""
    store, writer = store_for(place)
    async with store:
        await store.save({"6": checkpoint("1"), "7": checkpoint("1")})
        await store.delete(["6"])
        assert (writer.written[-1].slot, writer.written[-1].key, writer.written[-1].value) == (2, b"orders/6", None)
    other, _ = store_for(place)
    async with other:
        assert await other.take([1, 2]) == {"7": checkpoint("1")}


async def test_take_gives_the_taken_slots_and_no_others(place: CheckpointTopic) -> None:
    """What others own is not ours to begin."""
    store, _ = store_for(place)
    async with store:
        await store.save({str(number): checkpoint("1") for number in range(8)})
        assert (await store.take([1])).keys() == {"3", "7"}
        assert (await store.take([])).keys() == set()
        assert (await store.take([0, 3])).keys() == {"0", "4", "1", "5"}


async def test_a_second_reading_goes_on_where_the_first_ended(kafka: str, topic: TopicFactory) -> None:
    """Records are read once: what was removed meanwhile is still known, and only what is new is fetched."""
    place = place_in(kafka, await asyncio.to_thread(topic, SLOTS))
    await asyncio.to_thread(until_known, place)

    def write(partition: str, slot: int, each: Checkpoint) -> None:
        produce(kafka, place.topic, slot, {f"orders/{partition}".encode(): encode(each, SOMEBODY)})

    def read(clients: Clients) -> set[str]:
        return set(clients.log.read(clients.log.ends(range(SLOTS)), 0, Event()).checkpoints)

    def course() -> None:
        with closing(Clients(place)) as first, closing(Clients(place)) as second:
            assert (first.open(), second.open()) == (SLOTS, SLOTS)
            write("2", 2, checkpoint("1"))
            assert read(first) == {"2"}
            admin = AdminClient({"bootstrap.servers": kafka})
            (done,) = admin.delete_records([TopicPartition(place.topic, 2, -1)]).values()
            done.result(30)
            write("6", 2, checkpoint("1"))
            write("1", 3, checkpoint("1"))
            assert read(first) == {"2", "6", "1"}
            assert read(second) == {"6", "1"}

    await asyncio.to_thread(course)


async def test_offsets_follow_the_log_and_never_run_ahead(place: CheckpointTopic) -> None:
    """Tools see a small lag of the group: none while nobody else writes there, never a negative one."""
    store, writer = store_for(place)
    async with store:
        await store.save({"2": checkpoint("1"), "6": checkpoint("1"), "1": checkpoint("1")})
        assert [(record.slot, record.offset) for record in writer.written] == [(2, 3), (2, 3), (3, 2)]
        await store.save({"2": checkpoint("2")})
        assert writer.written[-1].offset == 5
    other, writer = store_for(place)
    async with other:
        await other.take([2])
        await other.save({"2": checkpoint("3")})
        assert writer.written[-1].offset == 7
