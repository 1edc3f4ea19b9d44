"""The promises of every store, kept by the one in a group's offsets, whoever commits them."""

from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

import pytest

from bridge.coordination.group_settings import GroupSettings
from bridge.coordination.kafka_group import KafkaGroup
from checkpoints.base import CheckpointReader, CheckpointStore, StoreBusyError
from checkpoints.kafka.group.committer import ConsumerGroup
from checkpoints.kafka.group.store import GroupCheckpointReader, GroupCheckpoints
from tests.checkpoints.kafka.group.grouping import group_in, outside_store
from tests.contracts.checkpoint_store import CheckpointStoreContract, Storage, checkpoint
from tests.support.group_member import member_of


class MembersCheckpoints(GroupCheckpoints):
    """A store that is entered together with a membership in the group."""

    def __init__(self, place: ConsumerGroup, group: KafkaGroup) -> None:
        super().__init__(place, group)
        self._group = group
        self._membership = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._membership.enter_async_context(member_of(self._group))
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        await self._membership.aclose()


class GroupStorage(Storage):
    partitions = ("0", "1", "3")
    longest_position = str(2**63 - 2)
    longest_window = "ä" * 1_000

    def __init__(self, place: ConsumerGroup) -> None:
        self._address = str(place.connection["bootstrap.servers"])
        self._topic = place.topic

    def place(self, mirror: str) -> ConsumerGroup:
        return group_in(self._address, self._topic, mirror)

    def store(self, mirror: str = "orders") -> CheckpointStore:
        return outside_store(self.place(mirror))

    def reader(self, mirror: str = "orders") -> CheckpointReader:
        return GroupCheckpointReader(self.place(mirror))


class MembersStorage(GroupStorage):
    def store(self, mirror: str = "orders") -> CheckpointStore:
        place = self.place(mirror)
        settings = GroupSettings(place.connection, place.topic, place.group, "worker")
        return MembersCheckpoints(place, KafkaGroup(settings))


class TestCheckpointsOfAnEmptyGroup(CheckpointStoreContract):
    @pytest.fixture
    def storage(self, place: ConsumerGroup) -> Storage:
        return GroupStorage(place)

    async def test_a_second_owner_is_refused_at_once(self, storage: Storage) -> None:
        """Not here: nobody owns an empty group, and who changes it while it has members is refused."""
        async with storage.store() as first, storage.store() as second:
            await first.save({"0": checkpoint("1")})
            assert await second.load() == {"0": checkpoint("1")}


class TestCheckpointsOfAMember(CheckpointStoreContract):
    @pytest.fixture
    def storage(self, place: ConsumerGroup) -> Storage:
        return MembersStorage(place)

    async def test_a_second_owner_is_refused_at_once(self, storage: Storage) -> None:
        """Workers share a group; who is no worker is refused, and named who works."""
        assert isinstance(storage, MembersStorage)
        async with storage.store() as store:
            with pytest.raises(StoreBusyError, match=r"worker worker at 127\.0\.0\.1 is alive"):
                async with outside_store(storage.place("orders")) as outside:
                    await outside.save({"0": checkpoint("9")})
            await store.save({"0": checkpoint("1")})
            assert await store.take([0, 1]) == {"0": checkpoint("1")}
