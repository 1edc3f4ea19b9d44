"""What a Kafka source names where records, or their order, are lost: never a silent jump."""

import asyncio
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from connectors.base import GapError, Place, RefusedError, Source
from tests.connectors.kafka.reading import P0, P1, PATIENCE_S, fill, series, source_of, take, until, values
from tests.support.factories import TopicFactory
from tests.support.topics import create_topic, delete_topic

_ALERT: dict[str, Any] = {
    "metadata_refresh_ms": 300,
    "look_s": 0.3,
    "librdkafka": {"topic.metadata.propagation.max.ms": 300},
}


def _delete_before(address: str, topic: str, offset: int) -> None:
    """As retention does."""
    admin = AdminClient({"bootstrap.servers": address})
    (done,) = admin.delete_records([TopicPartition(topic, 0, offset)]).values()
    done.result(PATIENCE_S)


def _grow(address: str, topic: str, partitions: int) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_partitions([NewPartitions(topic, partitions)])[topic].result(PATIENCE_S)


async def _gap(source: Source, after: Place) -> GapError:
    with pytest.raises(GapError) as told:
        await take(source, P0, after, 1)
    return told.value


async def test_records_that_have_expired_are_a_gap(kafka: str, topic: TopicFactory) -> None:
    """It names what is lost, and reading goes on with the oldest record; a mirror that begins loses nothing."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 10))
    await asyncio.to_thread(_delete_before, kafka, name, 5)
    async with source_of(kafka, name) as source:
        gap = await _gap(source, Place("1"))
        assert (gap.lost_from, gap.lost_to, gap.resume) == ("2", "4", Place("4"))
        assert "begins at offset 5" in gap.cause
        assert f"partition 0 of topic {name}" in gap.operation
        assert gap.resume is not None
        assert values(await take(source, P0, gap.resume, 5)) == series(5, 5)
        assert (await source.start([P0]))["0"] == Place("4")


async def test_what_expired_before_the_first_record_was_read_is_a_gap(kafka: str, topic: TopicFactory) -> None:
    """A checkpoint before the first record is of offset 0, whatever the oldest record is by now."""
    name = topic(partitions=1)
    async with source_of(kafka, name) as source:
        begun = (await source.start([P0]))["0"]
        await asyncio.to_thread(fill, kafka, name, series(0, 10))
        await asyncio.to_thread(_delete_before, kafka, name, 5)
        gap = await _gap(source, begun)
        assert (gap.lost_from, gap.lost_to, gap.resume) == ("0", "4", Place("4"))


async def test_records_that_expire_unread_in_mid_run_are_a_gap(kafka: str, topic: TopicFactory) -> None:
    """Also where all are gone that were there, and the lane resumes at the end."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 3))
    async with source_of(kafka, name) as source:
        (*_, last) = await take(source, P0, Place(), 3)
        await asyncio.to_thread(fill, kafka, name, series(3, 4))
        await asyncio.to_thread(_delete_before, kafka, name, 7)
        gap = await _gap(source, last.place)
        assert (gap.lost_from, gap.lost_to) == ("3", "6")
        assert gap.resume is not None
        await asyncio.to_thread(fill, kafka, name, series(7, 1))
        assert values(await take(source, P0, gap.resume, 1)) == series(7, 1)


async def test_what_expired_behind_the_position_is_no_gap(kafka: str, topic: TopicFactory) -> None:
    """A lane at the end has lost nothing when all that it has read is deleted."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 3))
    await asyncio.to_thread(_delete_before, kafka, name, 3)
    await asyncio.to_thread(fill, kafka, name, series(3, 1))
    async with source_of(kafka, name) as source:
        assert values(await take(source, P0, Place("2"), 1)) == series(3, 1)


@pytest.mark.parametrize("there", [0, 4])
async def test_a_log_that_ends_before_the_position_is_a_gap(kafka: str, topic: TopicFactory, there: int) -> None:
    """It was cut off: what was read of it is not there any more, and reading goes on where it ends now."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, there))
    async with source_of(kafka, name) as source:
        gap = await _gap(source, Place("9"))
        assert (gap.lost_from, gap.lost_to) == (str(there), "9")
        assert f"ends at offset {there}" in gap.cause
        assert gap.resume is not None
        await asyncio.to_thread(fill, kafka, name, series(there, 2))
        assert values(await take(source, P0, gap.resume, 2)) == series(there, 2)


async def test_a_topic_recreated_in_mid_run_is_refused(kafka: str, topic: TopicFactory) -> None:
    """Positions mean nothing there; after a restart its identity is another, so that the checkpoints name the gap."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 5))
    async with source_of(kafka, name, **_ALERT) as source:
        (*_, last) = await take(source, P0, Place(), 5)
        identity = source.identity
        await asyncio.to_thread(delete_topic, kafka, name)
        await asyncio.to_thread(create_topic, kafka, name, 1)
        await asyncio.to_thread(fill, kafka, name, series(0, 3))
        with pytest.raises(RefusedError, match=r"recreated.*restart"):
            await take(source, P0, last.place, 1)
        with pytest.raises(RefusedError, match="recreated"):
            await until(source, P0, Place(), lambda _: False)
    async with source_of(kafka, name) as again:
        assert again.identity != identity
        assert not again.identity.startswith(identity.partition(" ")[0])


async def test_a_lane_that_waits_hears_of_a_deleted_topic(kafka: str, topic: TopicFactory) -> None:
    """It is not waited for without a word."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 5))
    async with source_of(kafka, name, **_ALERT) as source:
        (*_, last) = await take(source, P0, Place(), 5)
        waiting = asyncio.create_task(take(source, P0, last.place, 1))
        await asyncio.to_thread(delete_topic, kafka, name)
        with pytest.raises(RefusedError, match=f"{name}.*does not exist"):
            await waiting


async def test_more_partitions_stop_each_lane_once(kafka: str, topic: TopicFactory) -> None:
    """Keys have moved: the new ones too begin only when that is accepted, by reading again from the offered place."""
    name = topic(partitions=1)
    await asyncio.to_thread(fill, kafka, name, series(0, 5))
    async with source_of(kafka, name, **_ALERT) as source:
        identity = source.identity
        listings = source.partitions()
        assert len(await anext(listings)) == 1
        (*_, last) = await take(source, P0, Place(), 5)
        waiting = asyncio.create_task(take(source, P0, last.place, 1))
        await asyncio.to_thread(_grow, kafka, name, 2)
        async with asyncio.timeout(PATIENCE_S):
            assert [each.id for each in await anext(listings)] == ["0", "1"]
        with pytest.raises(GapError, match="had 1 partition and has 2") as told:
            await waiting
        offered = told.value.resume
        assert offered is not None
        assert offered.position == "4"
        with pytest.raises(GapError, match="had 1 partition and has 2") as new:
            await take(source, P1, Place(), 1)
        assert source.identity == identity
        assert new.value.resume == Place()
        for partition, place in ((0, offered), (1, Place())):
            await asyncio.to_thread(fill, kafka, name, [b"grown"], partition=partition)
            lane = (P0, P1)[partition]
            assert values(await take(source, lane, place, 1)) == [b"grown"]
        assert source.identity == identity.replace("with 1 ", "with 2 ")


async def test_a_restart_names_the_growth_and_keeps_the_positions(kafka: str, topic: TopicFactory) -> None:
    """The identity is another, but offsets are what they were; of a topic that was recreated they are not."""
    name = topic(partitions=1)
    async with source_of(kafka, name) as source:
        identity = source.identity
    await asyncio.to_thread(_grow, kafka, name, 3)
    async with source_of(kafka, name) as source:
        assert source.identity == identity.replace("with 1 ", "with 3 ")
        assert source.resumed(identity, Place("7", 1)) == Place("7", 1)
        assert source.resumed("another with 1 partitions", Place("7", 1)) == Place()


async def test_a_position_that_is_no_offset_is_refused(kafka: str, topic: TopicFactory) -> None:
    """The error says how to mend the checkpoint."""
    async with source_of(kafka, topic(partitions=1)) as source:
        with pytest.raises(RefusedError, match=r"'abc' is not an offset.*checkpoints set"):
            await take(source, P0, Place("abc"), 1)
