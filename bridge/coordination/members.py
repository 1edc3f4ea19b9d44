"""Who is alive in a mirror's group, as its coordinator knows it."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin._group import ConsumerGroupDescription, MemberDescription

from checkpoints.kafka.connection import ANSWER_S, MOVING, admin_client, explained, kafka_error

_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Member:
    """A worker, where it connects from, and the slots that it owns; none while they are divided anew."""

    worker: str
    host: str
    slots: frozenset[int]

    def __str__(self) -> str:
        return f"{self.worker} at {self.host}"


async def members(client: Mapping[str, object], group: str, topic: str) -> tuple[Member, ...]:
    """The members of ``group``, which divides the partitions of ``topic``, by their names. Does not disturb it.

    A worker that died without leaving is among them until its session is over. Raises ``CheckpointError``.
    """
    found = await asyncio.to_thread(_described, client, group)
    members = () if found is None else tuple(_member(each, topic) for each in found.members)
    return tuple(sorted(members, key=lambda member: member.worker))


def _described(client: Mapping[str, object], group: str) -> ConsumerGroupDescription | None:
    """None where there is no such group."""
    # Its answers come as long as there is a reference to the client.
    admin = admin_client(client)
    deadline = time.monotonic() + ANSWER_S
    with explained(f"look up the members of group {group}"):
        while True:
            answer = admin.describe_consumer_groups([group], request_timeout=ANSWER_S)[group]
            try:
                return cast("ConsumerGroupDescription", answer.result(ANSWER_S * 2))
            except KafkaException as error:
                code = kafka_error(error).code()
                if code == KafkaError.GROUP_ID_NOT_FOUND:
                    return None
                if code not in MOVING or time.monotonic() > deadline:
                    raise
            admin.poll(_AGAIN_S)


def _member(described: MemberDescription, topic: str) -> Member:
    assigned = described.assignment.topic_partitions
    slots = frozenset(each.partition for each in assigned if each.topic == topic)
    return Member(described.client_id, described.host.lstrip("/"), slots)
