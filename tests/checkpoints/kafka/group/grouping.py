"""Groups of topics of the shared broker, and who commits for them, for tests."""

import asyncio
from collections.abc import Iterable

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from bridge.coordination.empty_group import EmptyGroup
from checkpoints.kafka.connection import admin_client
from checkpoints.kafka.group.committer import ConsumerGroup
from checkpoints.kafka.group.store import GroupCheckpoints

SESSION_S = 6.0


def group_in(address: str, topic: str, mirror: str = "orders") -> ConsumerGroup:
    """A mirror's group of ``topic``, which no other topic's mirror has."""
    return ConsumerGroup({"bootstrap.servers": address}, f"kmbridge-{mirror}-{topic}", topic)


def outside_store(place: ConsumerGroup) -> GroupCheckpoints:
    """A store of somebody who is no member."""
    return GroupCheckpoints(place, EmptyGroup(place, SESSION_S))


async def reset_offsets(place: ConsumerGroup, offsets: Iterable[tuple[int, int]]) -> None:
    """As another Kafka tool does it, which knows nothing of our metadata."""
    listed = [TopicPartition(place.topic, partition, offset) for partition, offset in offsets]
    asked = ConsumerGroupTopicPartitions(place.group, listed)
    admin = admin_client(place.connection)
    (answer,) = admin.alter_consumer_group_offsets([asked]).values()
    await asyncio.to_thread(answer.result, 30)
