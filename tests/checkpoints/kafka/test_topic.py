"""The checkpoint topic: found or created, and refused where it cannot serve."""

import asyncio
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource

from checkpoints.base import (
    CheckpointError,
    StoreFormatError,
    StoreRefusedError,
    StoreSettingsError,
    StoreUnreachableError,
)
from checkpoints.kafka import topic as topic_module
from checkpoints.kafka.fence import GroupFence
from checkpoints.kafka.store import KafkaCheckpointReader, KafkaCheckpoints
from checkpoints.kafka.topic import CheckpointTopic, TopicDesk
from tests.checkpoints.kafka.writing import place_in, store_in, unique
from tests.support.factories import TopicFactory
from tests.support.ports import HOST, free_port


def store_with(place: CheckpointTopic, slots: int | None) -> KafkaCheckpoints:
    store, _ = store_in(place, GroupFence(place.connection), f"{unique('worker')}-0", slots)
    return store


def admin_of(address: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": address, "log_level": 0})


def settings_of(address: str, topic: str) -> dict[str, str]:
    admin = admin_of(address)
    (entries,) = admin.describe_configs([ConfigResource(ConfigResource.Type.TOPIC, topic)]).values()
    found: dict[str, Any] = entries.result(30)
    return {name: entry.value for name, entry in found.items()}


def exists(address: str, topic: str) -> bool:
    return topic in admin_of(address).list_topics(timeout=30).topics


async def test_a_missing_topic_is_created_compacted_and_rolling(kafka: str, absent: CheckpointTopic) -> None:
    """It keeps every checkpoint for ever, and what a new owner has to read stays small for ever."""
    async with store_with(absent, 3) as store:
        assert store.slots == 3
    settings = await asyncio.to_thread(settings_of, kafka, absent.topic)
    assert settings["cleanup.policy"] == "compact"
    assert int(settings["segment.ms"]) <= 600_000
    assert int(settings["max.compaction.lag.ms"]) <= 600_000
    assert int(settings["segment.bytes"]) <= 16 * 1024 * 1024
    assert float(settings["min.cleanable.dirty.ratio"]) <= 0.1


async def test_sixty_four_slots_unless_asked_otherwise(absent: CheckpointTopic) -> None:
    """The documented default."""
    async with store_with(absent, None) as store:
        assert store.slots == 64


async def test_settings_that_a_cluster_refuses_are_left_out(kafka: str, absent: CheckpointTopic) -> None:
    """A cluster that lets few things be set gets the topic all the same."""
    refused = {"cleanup.policy": "compact", "segment.bytes": "-1"}
    desk = TopicDesk({"bootstrap.servers": kafka}, absent.topic, (refused, refused, {"cleanup.policy": "compact"}))
    assert await asyncio.to_thread(desk.look_up_or_create, 2) == 2
    settings = await asyncio.to_thread(settings_of, kafka, absent.topic)
    assert settings["cleanup.policy"] == "compact"


async def test_a_cluster_that_refuses_everything_is_named_with_a_remedy(kafka: str) -> None:
    """Who may not create it learns what to create."""
    name = unique("checkpoints")
    desk = TopicDesk({"bootstrap.servers": kafka}, name, ({"cleanup.policy": "nonsense"},))
    with pytest.raises(StoreRefusedError, match=rf"{name} with partitions=5.*cleanup\.policy=compact") as refusal:
        await asyncio.to_thread(desk.look_up_or_create, 5)
    assert not refusal.value.retriable
    assert not await asyncio.to_thread(exists, kafka, name)


async def test_workers_that_create_it_at_the_same_time_find_one_topic(absent: CheckpointTopic) -> None:
    """It does not matter who was first."""
    stores = [store_with(absent, 4) for _ in range(6)]
    try:
        await asyncio.gather(*(store.__aenter__() for store in stores))
        assert [store.slots for store in stores] == [4] * 6
    finally:
        await asyncio.gather(*(store.__aexit__(None, None, None) for store in stores), return_exceptions=True)


async def test_an_existing_topic_keeps_its_slots(place: CheckpointTopic) -> None:
    """Asked for any number it serves as it is; asked for another number the error names both."""
    async with store_with(place, None) as store:
        assert store.slots == 4
        assert store.slot_of("shardId-000000000007") == 1
    with pytest.raises(StoreFormatError, match=r"has 4, and 64 are asked for.*checkpoints\.kafka\.slots to 4"):
        await store_with(place, 64).__aenter__()


@pytest.mark.parametrize("policy", ["delete", "compact,delete"])
async def test_a_topic_that_forgets_by_age_is_refused(kafka: str, topic: TopicFactory, policy: str) -> None:
    """An idle mirror's checkpoints would be gone after a week: the setting is named."""
    name = await asyncio.to_thread(topic, 4, {"cleanup.policy": policy})
    with pytest.raises(StoreFormatError, match=rf"cleanup\.policy is {policy}.*set cleanup\.policy=compact"):
        await store_with(place_in(kafka, name), None).__aenter__()


async def test_a_reader_creates_nothing(kafka: str, absent: CheckpointTopic) -> None:
    """Without a topic there are no checkpoints, and still no topic."""
    assert await KafkaCheckpointReader(absent).load() == {}
    assert not await asyncio.to_thread(exists, kafka, absent.topic)


async def test_a_cluster_that_does_not_answer_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as what it is, and can be tried again."""
    monkeypatch.setattr(topic_module, "ANSWER_S", 1.0)
    place = place_in(f"{HOST}:{free_port()}", "checkpoints")
    for attempt in (store_with(place, None).__aenter__, KafkaCheckpointReader(place).load):
        with pytest.raises(StoreUnreachableError, match="checkpoints") as error:
            await attempt()
        assert error.value.retriable


async def test_settings_that_librdkafka_does_not_take_are_refused() -> None:
    """A mistake in the configuration is told as one, and is no reason to try again."""
    place = CheckpointTopic({"bootstrap.servers": "127.0.0.1:9", "no.such": "x"}, "orders", "kmbridge-orders")
    with pytest.raises(StoreSettingsError, match=r"no\.such"):
        await KafkaCheckpointReader(place).load()
    with pytest.raises(CheckpointError, match=r"no\.such"):
        await store_with(place, None).__aenter__()


async def test_the_connections_secrets_are_not_in_its_repr() -> None:
    """What may be logged holds no password."""
    assert "hunter2" not in repr(CheckpointTopic({"sasl.password": "hunter2"}, "orders", "kmbridge-orders"))
