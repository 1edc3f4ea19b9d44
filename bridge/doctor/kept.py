"""The checkpoints as they are, and who works on them: looked up in whatever store they are."""

import asyncio
from collections.abc import Collection, Mapping

from confluent_kafka import KafkaException

from bridge.config import Configuration
from bridge.coordination.members import Member, members
from bridge.doctor.scene import Kept
from bridge.keeping.owners import Holder, holders
from bridge.keeping.stores import checkpoint_place, checkpoint_reader, described, group_place
from checkpoints.kafka.connection import explanation, kafka_error, transactional_producer
from checkpoints.kafka.group.committer import ConsumerGroup
from checkpoints.kafka.topic import CheckpointTopic
from connectors.base import Clock
from connectors.kafka.inspection import TopicDescription, TopicInspector

_PATIENCE_S = 2.0
_REACH_S = 4.0
_ANY = "any"


async def kept(configuration: Configuration, clock: Clock) -> Kept:
    """What is kept, and by whom. Raises ``CheckpointError``, and ``ConnectorError`` where a topic cannot be seen."""
    shared, place = group_place(configuration), checkpoint_place(configuration)
    # Asked first: a cluster that does not answer this in time would keep the others waiting for longer.
    topic = await _described(shared or place, clock)
    is_transactional = configuration.delivery == "exactly_once" and place is not None

    async def begin() -> None:
        if place is not None:
            await asyncio.to_thread(_begin, place.connection, f"{place.group}-doctor")

    return Kept(
        described(configuration),
        await checkpoint_reader(configuration, patience_s=_PATIENCE_S).load(),
        await _holders(configuration, clock),
        await _members(shared or place),
        None if place is None else topic,
        begin if is_transactional else None,
    )


async def _holders(configuration: Configuration, clock: Clock) -> Collection[Holder]:
    """Whoever has a store for one worker has all of it, whichever partitions there are."""
    if configuration.shares_work:
        return ()
    return tuple((await holders(configuration, [_ANY], clock)).values())


async def _members(place: ConsumerGroup | CheckpointTopic | None) -> tuple[Member, ...]:
    return () if place is None else await members(place.connection, place.group, place.topic)


async def _described(place: ConsumerGroup | CheckpointTopic | None, clock: Clock) -> TopicDescription | None:
    if place is None:
        return None
    return await asyncio.to_thread(lambda: TopicInspector(place.connection, clock, _REACH_S).describe(place.topic))


def _begin(settings: Mapping[str, object], transactional_id: str) -> None:
    """Ends whatever this id had open, which nobody else uses, and begins nothing."""
    try:
        transactional_producer(settings, transactional_id).init_transactions(_REACH_S)
    except KafkaException as error:
        raise explanation(kafka_error(error), f"begin transactions as {transactional_id}") from error
