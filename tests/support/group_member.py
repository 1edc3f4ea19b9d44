"""A worker's membership in a group, and records for its checkpoint topic, for sinks that write in transactions."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from bridge.coordination.base import Owner
from bridge.coordination.group_settings import GroupSettings
from bridge.coordination.kafka_group import KafkaGroup
from checkpoints.kafka.writer import SlotRecord, TransactionRecords


class EverySave(TransactionRecords):
    """Puts one record into each transaction, as a store does whenever a lane has moved."""

    def open(self) -> None:
        super().open()
        self._records = [SlotRecord(0, b"mirror/lane", b"{}", 1)]


class Idle(Owner):
    """Takes what it gets, and says what that is."""

    def __init__(self) -> None:
        self.slots: set[int] = set()
        self.has_taken = asyncio.Event()

    async def take(self, slots: Collection[int]) -> None:
        self.slots |= set(slots)
        if slots:
            self.has_taken.set()

    async def give_up(self, slots: Collection[int]) -> None:
        self.slots -= set(slots)

    async def lose(self, slots: Collection[int]) -> None:
        self.slots -= set(slots)


def group_settings(address: str, topic: str, worker: str, session_timeout_s: float = 6.0) -> GroupSettings:
    return GroupSettings({"bootstrap.servers": address}, topic, f"kmbridge-{topic}", worker, session_timeout_s)


@asynccontextmanager
async def member(address: str, topic: str, worker: str = "worker") -> AsyncIterator[KafkaGroup]:
    """A member of a group over the partitions of ``topic``, once it has some of them."""
    async with member_of(KafkaGroup(group_settings(address, topic, worker))) as group:
        yield group


@asynccontextmanager
async def member_of(group: KafkaGroup) -> AsyncIterator[KafkaGroup]:
    """``group``, once it has some slots."""
    owner = Idle()
    async with group:
        running = asyncio.create_task(group.run(owner))
        try:
            async with asyncio.timeout(30):
                await owner.has_taken.wait()
            yield group
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
