"""Offsets of a group without members, committed by somebody who wants to change them."""

import asyncio
import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from bridge.coordination.members import Member, members
from checkpoints.base import StoreBusyError
from checkpoints.kafka.connection import ANSWER_S, MOVING, admin_client, answers, kafka_error
from checkpoints.kafka.group.committer import CommittedOffset, ConsumerGroup
from checkpoints.kafka.group.refusals import refusal

_AGAIN_S = 0.1
_OCCUPIED = {KafkaError.UNKNOWN_MEMBER_ID, KafkaError.NON_EMPTY_GROUP, KafkaError.REBALANCE_IN_PROGRESS}


class EmptyGroup:
    """Commits while the group has no members: brokers take offsets of who is none only then."""

    def __init__(self, place: ConsumerGroup, session_timeout_s: float) -> None:
        """``session_timeout_s`` is after how long a worker that died is a member no more."""
        self._place = place
        self._session_timeout_s = session_timeout_s
        # One, so that a call which was cancelled, and goes on all the same, is over before a later one begins.
        self._thread = ThreadPoolExecutor(1, "offsets")

    async def check(self) -> None:
        """Raises ``StoreBusyError``, which names them, where workers are alive."""
        if found := await members(self._place.connection, self._place.group, self._place.topic):
            raise self._busy(found)

    async def commit(self, offsets: Mapping[int, CommittedOffset]) -> None:
        """As promised by ``checkpoints.kafka.group.committer.Committer``. Raises ``StoreBusyError`` as ``check``."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._alter, offsets)
        except _OccupiedError:
            await self.check()
            raise StoreBusyError(
                self._operation, "a worker was alive, and nothing is changed", "run the command again"
            ) from None

    def _alter(self, offsets: Mapping[int, CommittedOffset]) -> None:
        # Its answers come as long as there is a reference to the client.
        admin = admin_client(self._place.connection)
        deadline = time.monotonic() + ANSWER_S
        while (error := self._refused(admin, offsets)) is not None:
            if error.code() in _OCCUPIED:
                raise _OccupiedError
            if error.code() not in MOVING or time.monotonic() > deadline:
                raise refusal(error, self._operation, self._place)
            admin.poll(_AGAIN_S)

    def _refused(self, admin: AdminClient, offsets: Mapping[int, CommittedOffset]) -> KafkaError | None:
        topic = self._place.topic
        listed = [TopicPartition(topic, each, new.offset, new.metadata) for each, new in offsets.items()]
        asked = ConsumerGroupTopicPartitions(self._place.group, listed)
        try:
            (answer,) = answers(admin.alter_consumer_group_offsets([asked], request_timeout=ANSWER_S)).values()
        except KafkaException as error:
            return kafka_error(error)
        return next((each.error for each in answer.topic_partitions or () if each.error is not None), None)

    def _busy(self, found: Collection[Member]) -> StoreBusyError:
        named = ", ".join(f"worker {each}" for each in found)
        verb = "is" if len(found) == 1 else "are"
        session = f"{self._session_timeout_s:g} s"
        return StoreBusyError(
            self._operation,
            f"{named} {verb} alive: seen within its session of {session}",
            f"stop the mirror first; if it is gone, try again in {session}",
        )

    @property
    def _operation(self) -> str:
        return f"change the offsets of group {self._place.group}"


class _OccupiedError(Exception):
    """The group has a member."""
