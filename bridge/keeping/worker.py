"""Where a running worker keeps its checkpoints, and who tells it what it owns: the two belong together."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import uuid4

from bridge.config import Configuration
from bridge.coordination.base import Coordinator
from bridge.coordination.fenced_writer import FencedWriter
from bridge.coordination.group_settings import GroupSettings
from bridge.coordination.kafka_group import KafkaGroup
from bridge.coordination.single import SingleWorker
from bridge.keeping.stores import asked_slots, checkpoint_place, group_place, own_store
from checkpoints.base import CheckpointStore
from checkpoints.kafka.fence import GroupFence
from checkpoints.kafka.group.store import GroupCheckpoints
from checkpoints.kafka.store import KafkaCheckpoints
from checkpoints.kafka.topic import CheckpointTopic
from checkpoints.kafka.writer import TransactionRecords, Writer
from connectors.base import Clock
from connectors.kafka.settings import Transactional


@dataclass(frozen=True, slots=True)
class Keeping:
    """A store, and the coordinator for its slots. With ``transactional`` the sink writes into the store's topic."""

    store: CheckpointStore
    coordinator: Coordinator
    transactional: Transactional | None = None
    writer: FencedWriter | None = None
    """Writes the checkpoints, where the sink does not."""


def kept_by(configuration: Configuration, clock: Clock, index: int) -> Keeping:
    """What ``configuration`` names, nothing of it entered. ``index`` is this worker's among those of one machine."""
    worker_id = _worker_id(configuration, index)
    shared = group_place(configuration)
    if shared is not None:
        member = KafkaGroup(_group_settings(configuration, shared.connection, shared.topic, worker_id, index))
        return Keeping(GroupCheckpoints(shared, member), member)
    place = checkpoint_place(configuration)
    if place is None:
        return Keeping(own_store(configuration, clock), SingleWorker())
    group = KafkaGroup(_group_settings(configuration, place.connection, place.topic, worker_id, index))
    if configuration.delivery == "exactly_once":
        records = TransactionRecords()
        transactional = Transactional(worker_id, place.topic, group, records, _dead_letter_topic(configuration))
        return Keeping(_store(configuration, place, records, worker_id), group, transactional)
    writer = FencedWriter(place.connection, place.topic, group, worker_id)
    return Keeping(_store(configuration, place, writer, worker_id), group, writer=writer)


def _worker_id(configuration: Configuration, index: int) -> str:
    """The worker's name in the group and in its transactions, which tells others whether their author is alive."""
    group = configuration.group
    if configuration.workers.instance is None:
        return f"{group}-{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
    # The group shows a member that is back under the name that it had first, so that has to stay. It must not end in
    # a number, which would be taken for one of several transactional ids of a worker.
    return f"{group}-{configuration.workers.instance}-{index}-named"


def _store(configuration: Configuration, place: CheckpointTopic, writer: Writer, worker_id: str) -> KafkaCheckpoints:
    return KafkaCheckpoints(
        place,
        writer,
        GroupFence(place.connection),
        writer_id=worker_id,
        slots=asked_slots(configuration),
        session_timeout_s=configuration.workers.session_timeout,
    )


def _group_settings(
    configuration: Configuration, client: Mapping[str, object], topic: str, worker_id: str, index: int
) -> GroupSettings:
    workers = configuration.workers
    return GroupSettings(
        client=client,
        topic=topic,
        group=configuration.group,
        worker_id=worker_id,
        session_timeout_s=workers.session_timeout,
        protocol=workers.group_protocol,
        instance=None if workers.instance is None else f"{workers.instance}-{index}",
    )


def _dead_letter_topic(configuration: Configuration) -> str | None:
    section = configuration.dead_letter
    if section is None or section.kafka is None or configuration.on_error == "stop":
        return None
    return section.kafka.topic
