"""Owning every slot of a mirror on which nobody works."""

import asyncio
from dataclasses import replace
from typing import Literal

import pytest

from bridge.coordination.sole_owner import SoleOwner
from checkpoints.base import Checkpoint, StoreBusyError
from checkpoints.kafka.store import KafkaCheckpointReader
from checkpoints.kafka.topic import CheckpointTopic
from tests.checkpoints.kafka.writing import until_known
from tests.support.factories import TopicFactory
from tests.support.group_member import group_settings, member
from tests.support.kafka_reader import until_settled

SLOTS = 2
PARTITION = "shardId-000000000001"
OLD = Checkpoint("1", None, finished=False, saved_ms=1, source="", sink="")
Protocol = Literal["classic", "consumer"]
NEW = replace(OLD, position="2")


@pytest.fixture
async def place(kafka: str, topic: TopicFactory) -> CheckpointTopic:
    name = topic(SLOTS, {"cleanup.policy": "compact"})
    place = CheckpointTopic({"bootstrap.servers": kafka}, "orders", f"kmbridge-{name}", name)
    return await asyncio.to_thread(until_known, place)


def sole(kafka: str, place: CheckpointTopic, protocol: Protocol = "classic") -> SoleOwner:
    settings = group_settings(kafka, place.topic, "operator")
    assert settings.group == place.group
    return SoleOwner(place, replace(settings, protocol=protocol), SLOTS)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
async def test_who_owns_everything_can_change_it(kafka: str, place: CheckpointTopic, protocol: Protocol) -> None:
    """What was saved is there for the next owner at once."""
    async with sole(kafka, place, protocol) as store:
        assert await store.load() == {}
        await store.save({PARTITION: OLD})
    async with sole(kafka, place, protocol) as store:
        assert await store.load() == {PARTITION: OLD}
        await store.delete([PARTITION])
    async with sole(kafka, place, protocol) as store:
        assert await store.load() == {}


async def test_beside_a_living_worker_nothing_can_be_owned(kafka: str, place: CheckpointTopic) -> None:
    """It is named."""
    async with member(kafka, place.topic, "worker-a"):
        with pytest.raises(StoreBusyError, match=r"worker worker-a at 127\.0\.0\.1 is alive"):
            await sole(kafka, place).__aenter__()


async def test_a_worker_that_joins_gets_its_slots_and_nothing_is_changed_any_more(
    kafka: str, place: CheckpointTopic
) -> None:
    """What was read before may not hold any more, whoever owns the slot in question."""
    async with sole(kafka, place) as store:
        await store.save({PARTITION: OLD})
        async with member(kafka, place.topic, "worker-a"):
            with pytest.raises(StoreBusyError, match="worker worker-a"):
                await store.save({PARTITION: NEW})
            with pytest.raises(StoreBusyError, match="worker worker-a"):
                await store.delete([PARTITION])
    await until_settled(kafka, place.topic)
    assert await KafkaCheckpointReader(place).load() == {PARTITION: OLD}
