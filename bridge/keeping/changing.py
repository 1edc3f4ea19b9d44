"""Changing a mirror's checkpoints from outside, in whatever store they are."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import structlog

from bridge.config import Configuration
from bridge.coordination.empty_group import EmptyGroup
from bridge.coordination.group_settings import GroupSettings
from bridge.coordination.members import members
from bridge.coordination.sole_owner import SoleOwner
from bridge.coordination.unfenced_writer import UnfencedWriter
from bridge.keeping.stores import asked_slots, checkpoint_place, group_place, own_store
from checkpoints.base import CheckpointStore
from checkpoints.kafka.fence import GroupFence
from checkpoints.kafka.group.store import GroupCheckpoints
from checkpoints.kafka.store import KafkaCheckpoints
from checkpoints.kafka.topic import CheckpointTopic, TopicDesk
from checkpoints.memory import MemoryCheckpoints
from connectors.base import Clock

log = structlog.get_logger(__name__)


@asynccontextmanager
async def changeable(configuration: Configuration, *, create: bool, force: bool) -> AsyncIterator[CheckpointStore]:
    """The store, owned. Without ``create`` a topic that is missing stays so, and holds nothing.

    Raises ``StoreBusyError`` where somebody works on the mirror, and names who. With ``force`` the checkpoints in a
    topic can be changed nevertheless; that lasts until their owner saves its own.
    """
    shared, place = group_place(configuration), checkpoint_place(configuration)
    if shared is not None:
        group = EmptyGroup(shared, configuration.workers.session_timeout)
        await group.check()
        async with GroupCheckpoints(shared, group) as offsets:
            yield offsets
    elif place is None:
        async with own_store(configuration, Clock()) as store:
            yield store
    elif not create and await asyncio.to_thread(_slots_of, place) is None:
        yield MemoryCheckpoints()
    else:
        async with await _forced(configuration, place) if force else _sole(configuration, place) as store:
            yield store


def _sole(configuration: Configuration, place: CheckpointTopic) -> CheckpointStore:
    workers = configuration.workers
    settings = GroupSettings(
        client=place.connection,
        topic=place.topic,
        group=place.group,
        worker_id=_own_name(place),
        session_timeout_s=workers.session_timeout,
        protocol=workers.group_protocol,
    )
    return SoleOwner(place, settings, asked_slots(configuration))


async def _forced(configuration: Configuration, place: CheckpointTopic) -> CheckpointStore:
    for member in await members(place.connection, place.group, place.topic):
        log.warning(
            "forced beside a living worker, which overwrites this with its next checkpoint",
            mirror=configuration.name,
            worker=member.worker,
            host=member.host,
        )
    writer_id = _own_name(place)
    return KafkaCheckpoints(
        place,
        UnfencedWriter(place.connection, place.topic, writer_id),
        GroupFence(place.connection),
        writer_id=writer_id,
        slots=asked_slots(configuration),
        session_timeout_s=configuration.workers.session_timeout,
    )


def _own_name(place: CheckpointTopic) -> str:
    """Of no other process, and for people: where to look for this one."""
    return f"{place.group}-checkpoints-{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"


def _slots_of(place: CheckpointTopic) -> int | None:
    return TopicDesk(place.connection, place.topic).look_up()
