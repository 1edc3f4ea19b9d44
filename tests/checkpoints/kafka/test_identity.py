"""A checkpoint topic that is not the one that was opened holds less than what is known: the mirror stops."""

from collections.abc import Mapping

import pytest

from checkpoints.base import Checkpoint, CheckpointError, StoreFormatError
from checkpoints.kafka.store import KafkaCheckpoints
from checkpoints.kafka.topic import CheckpointTopic
from tests.checkpoints.kafka.test_topic import store_with
from tests.contracts.checkpoint_store import checkpoint
from tests.support.topics import create_topic, delete_topic
from tests.support.waiting import eventually


async def test_a_topic_that_was_recreated_is_named_by_the_next_take_and_then_by_every_save(
    kafka: str, place: CheckpointTopic
) -> None:
    """Nothing is written into the new one, where only what moves from now on would be found."""
    async with store_with(place, None) as store:
        await store.save({"6": checkpoint("1")})
        delete_topic(kafka, place.topic)
        create_topic(kafka, place.topic, 4, {"cleanup.policy": "compact"})
        with pytest.raises(StoreFormatError, match=r"recreated|deleted"):
            await _take_for_ever(store, {"6": checkpoint("1")})
        with pytest.raises(StoreFormatError, match="checkpoints set"):
            await store.save({"6": checkpoint("2")})


async def _take_for_ever(store: KafkaCheckpoints, stored: Mapping[str, Checkpoint]) -> None:
    """Brokers hear of a deletion some moments later. Until then all is there, or a take fails."""
    while True:
        try:
            assert await store.take([store.slot_of("6")]) == stored
        except CheckpointError as error:
            if not error.retriable:
                raise


async def test_a_topic_that_is_gone_is_noticed_without_asking(kafka: str, place: CheckpointTopic) -> None:
    """A worker that only saves learns of it, too."""
    async with store_with(place, None) as store:
        delete_topic(kafka, place.topic)
        identity = store._entered().identity
        await eventually(lambda: identity._failure is not None, "the missing topic noticed")
        with pytest.raises(StoreFormatError, match="it was deleted"):
            await store.save({"6": checkpoint("2")})
