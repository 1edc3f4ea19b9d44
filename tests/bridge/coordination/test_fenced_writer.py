"""Checkpoints that are written beside the records are fenced all the same."""

import asyncio
from collections.abc import Mapping

import pytest

from bridge.coordination import fenced_writer
from bridge.coordination.fenced_writer import FencedWriter
from checkpoints.base import CheckpointError
from checkpoints.kafka.writer import SlotRecord
from tests.support.factories import TopicFactory
from tests.support.group_member import member
from tests.support.kafka_reader import read_topic, until_settled
from tests.support.lost_coordinator import lost_coordinator

pytestmark = pytest.mark.broker


def record(value: bytes | None) -> SlotRecord:
    return SlotRecord(0, b"orders/shard-1", value, 1)


class Stale:
    """The membership that a worker had before it was away."""

    def __init__(self, metadata: bytes) -> None:
        self._metadata = metadata

    def metadata(self) -> bytes:
        return self._metadata


async def stored(address: str, topic: str) -> list[bytes | None]:
    await until_settled(address, topic)
    return [each.value for each in await read_topic(address, topic)]


def settings(address: str) -> Mapping[str, object]:
    return {"bootstrap.servers": address}


async def test_a_member_writes_in_the_order_of_its_calls(kafka: str, topic: TopicFactory) -> None:
    """Each call is one transaction; deletions are records too."""
    name = topic(partitions=1)
    async with member(kafka, name) as group, FencedWriter(settings(kafka), name, group, f"{name}-writer") as writer:
        for value in (b"1", b"2", None):
            await writer.write([record(value)])
    assert await stored(kafka, name) == [b"1", b"2", None]


async def test_who_was_away_writes_nothing_over_what_others_wrote(kafka: str, topic: TopicFactory) -> None:
    """The generation of then is over; in the present one the same writer goes on."""
    name = topic(partitions=2)
    async with member(kafka, name) as group:
        stale = Stale(group.metadata())
        async with FencedWriter(settings(kafka), name, stale, f"{name}-stale") as writer:
            await writer.write([record(b"before")])
            async with member(kafka, name, "another"):
                with pytest.raises(CheckpointError) as caught:
                    await writer.write([record(b"stale")])
                assert caught.value.retriable
        async with FencedWriter(settings(kafka), name, group, f"{name}-present") as writer:
            await writer.write([record(b"after")])
    assert await stored(kafka, name) == [b"before", b"after"]


async def test_a_writer_whose_id_is_taken_over_goes_on_with_another_producer(kafka: str, topic: TopicFactory) -> None:
    """One call fails, the next one passes."""
    name = topic(partitions=1)
    async with member(kafka, name) as group, FencedWriter(settings(kafka), name, group, f"{name}-writer") as writer:
        await writer.write([record(b"1")])
        async with FencedWriter(settings(kafka), name, group, f"{name}-writer") as other:
            await other.write([record(b"2")])
        with pytest.raises(CheckpointError):
            await writer.write([record(b"3")])
        await writer.write([record(b"4")])
    assert await stored(kafka, name) == [b"1", b"2", b"4"]


async def test_a_writer_that_has_lost_its_coordinator_goes_on_with_another_producer(
    kafka: str, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the call never returns: it fails, the next one passes, and leaving waits for nobody."""
    name = topic(partitions=1)
    monkeypatch.setattr(fenced_writer, "_LOOK_S", 0.1)
    with lost_coordinator(monkeypatch) as made:
        async with member(kafka, name) as group, FencedWriter(settings(kafka), name, group, f"{name}-writer") as writer:
            with pytest.raises(CheckpointError, match="coordinator") as caught:
                await writer.write([record(b"1")])
            assert (made.is_set(), caught.value.retriable) == (True, True)
            await writer.write([record(b"2")])
    assert await stored(kafka, name) == [b"2"]


async def test_a_cancelled_write_takes_effect_whole_or_not_and_never_late(kafka: str, topic: TopicFactory) -> None:
    """The next call comes after it."""
    name = topic(partitions=1)
    async with member(kafka, name) as group, FencedWriter(settings(kafka), name, group, f"{name}-writer") as writer:
        writing = asyncio.create_task(writer.write([record(b"1"), record(b"2")]))
        await asyncio.sleep(0)
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await writer.write([record(b"3")])
    assert await stored(kafka, name) in ([b"3"], [b"1", b"2", b"3"])
