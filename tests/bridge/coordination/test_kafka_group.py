"""What a group of workers promises, with real members of a real group."""

import asyncio
from collections.abc import Collection
from typing import Self

import pytest

from bridge.coordination import kafka_group
from bridge.coordination.group_settings import GroupSettings
from bridge.coordination.kafka_group import KafkaGroup
from connectors.base import RefusedError, TransientError
from connectors.kafka.transaction import generation_of
from tests.support.factories import TopicFactory
from tests.support.group_member import Idle, group_settings
from tests.support.waiting import eventually

pytestmark = pytest.mark.broker


class Crew:
    """Workers of one group, in this process. All of them have left when it is closed."""

    def __init__(self, address: str, topic: str) -> None:
        self._address = address
        self._topic = topic
        self.owners: dict[str, Idle] = {}
        self.groups: dict[str, KafkaGroup] = {}
        self._running: dict[str, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self.groups):
            await self.leave(name)

    def join(self, name: str, owner: Idle | None = None, settings: GroupSettings | None = None) -> Idle:
        owner = self.owners[name] = owner or Idle()
        group = self.groups[name] = KafkaGroup(settings or group_settings(self._address, self._topic, name))
        self._running[name] = asyncio.create_task(group.run(owner))
        return owner

    async def leave(self, name: str) -> None:
        running = self._running.pop(name)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await self.groups.pop(name).__aexit__(None, None, None)
        del self.owners[name]

    async def failure(self, name: str) -> BaseException | None:
        async with asyncio.timeout(30):
            await asyncio.wait([self._running[name]])
        return self._running[name].exception()

    def shares(self) -> list[int]:
        return sorted(len(owner.slots) for owner in self.owners.values())

    def owned(self) -> list[int]:
        return sorted(slot for owner in self.owners.values() for slot in owner.slots)


async def until_shared(crew: Crew, shares: Collection[int], slots: int) -> None:
    await eventually(lambda: crew.shares() == sorted(shares) and crew.owned() == list(range(slots)), f"{shares}")


async def test_every_slot_has_one_owner_and_shares_are_even(kafka: str, topic: TopicFactory) -> None:
    """Whoever comes or leaves: none is unowned in the end, none is owned twice at any moment that is seen."""
    async with Crew(kafka, topic(partitions=16)) as crew:
        crew.join("a")
        await until_shared(crew, [16], 16)
        crew.join("b")
        await until_shared(crew, [8, 8], 16)
        crew.join("c")
        crew.join("d")
        await until_shared(crew, [4, 4, 4, 4], 16)
        await crew.leave("a")
        await until_shared(crew, [5, 5, 6], 16)


class Slow(Idle):
    """Takes its time to give up, and notes who else owned what it gives up meanwhile."""

    def __init__(self, others: Crew) -> None:
        super().__init__()
        self.may_finish = asyncio.Event()
        self.is_giving_up = asyncio.Event()
        self.stolen: set[int] = set()
        self._others = others

    async def give_up(self, slots: Collection[int]) -> None:
        self.is_giving_up.set()
        await self.may_finish.wait()
        self.stolen |= {slot for owner in self._others.owners.values() if owner is not self for slot in owner.slots}
        await super().give_up(slots)


async def test_nobody_takes_a_slot_before_its_owner_has_given_it_up(kafka: str, topic: TopicFactory) -> None:
    """The group waits for the owner, who may have a transaction under way."""
    async with Crew(kafka, topic(partitions=4)) as crew:
        slow = Slow(crew)
        crew.join("slow", slow)
        await until_shared(crew, [4], 4)
        crew.join("b")
        async with asyncio.timeout(30):
            await slow.is_giving_up.wait()
        assert crew.owners["b"].slots == set()
        slow.may_finish.set()
        await until_shared(crew, [2, 2], 4)
        assert slow.stolen == set()


async def test_a_take_under_way_makes_room_for_what_comes_next(kafka: str, topic: TopicFactory) -> None:
    """An owner that waits for a former one does not keep the group waiting, and takes what is left to it again."""

    class Stuck(Idle):
        attempts = 0

        async def take(self, slots: Collection[int]) -> None:
            self.attempts += bool(slots)
            if self.attempts == 1:
                await asyncio.Event().wait()
            await super().take(slots)

    async with Crew(kafka, topic(partitions=4)) as crew:
        stuck = Stuck()
        crew.join("stuck", stuck)
        await eventually(lambda: stuck.attempts == 1, "a take under way")
        crew.join("b")
        await until_shared(crew, [2, 2], 4)


async def test_a_worker_without_slots_is_told_so(kafka: str, topic: TopicFactory) -> None:
    """It is a member that waits for work, and has metadata to begin with."""
    async with Crew(kafka, topic(partitions=1)) as crew:
        crew.join("a")
        await until_shared(crew, [1], 1)
        crew.join("b")
        await eventually(lambda: crew.groups["b"].is_member, "a second member")
        assert generation_of(crew.groups["b"].metadata()) >= 0
        await until_shared(crew, [0, 1], 1)


async def test_before_it_has_joined_there_are_no_metadata(kafka: str, topic: TopicFactory) -> None:
    """Those of a consumer that never joined would be accepted unfenced."""
    group = KafkaGroup(group_settings(kafka, topic(partitions=1), "a"))
    with pytest.raises(TransientError, match="no member"):
        group.metadata()


async def test_kip_848_by_choice(kafka: str, topic: TopicFactory) -> None:
    """The same promises by the other protocol."""
    name = topic(partitions=4)

    def settings(worker: str) -> GroupSettings:
        return GroupSettings({"bootstrap.servers": kafka}, name, f"g-{name}", worker, protocol="consumer")

    async with Crew(kafka, name) as crew:
        crew.join("a", settings=settings("a"))
        await until_shared(crew, [4], 4)
        crew.join("b", settings=settings("b"))
        await until_shared(crew, [2, 2], 4)
        await crew.leave("a")
        await until_shared(crew, [4], 4)


async def test_a_second_worker_of_the_same_instance_ends_the_first_by_name(kafka: str, topic: TopicFactory) -> None:
    """Static members are unique: the older one is fenced, and says which key is to be looked at."""
    name = topic(partitions=2)

    def settings(worker: str) -> GroupSettings:
        return GroupSettings({"bootstrap.servers": kafka}, name, f"g-{name}", worker, instance="pod-0")

    async with Crew(kafka, name) as crew:
        crew.join("a", settings=settings("a"))
        await until_shared(crew, [2], 2)
        crew.join("b", settings=settings("b"))
        failure = await crew.failure("a")
        assert isinstance(failure, RefusedError)
        assert "workers.instance pod-0" in str(failure)


async def test_an_owner_that_is_overruled_has_no_metadata_until_it_has_given_up(
    kafka: str, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others own its slots by then: nothing of what it still does there may be committed in the new generation."""
    monkeypatch.setattr(kafka_group, "_GIVE_UP_S", 0.2)
    async with Crew(kafka, topic(partitions=4)) as crew:
        slow = Slow(crew)
        crew.join("slow", slow)
        await until_shared(crew, [4], 4)
        crew.join("b")
        await eventually(lambda: len(crew.owners["b"].slots) == 2, "slots taken over")
        with pytest.raises(TransientError):
            crew.groups["slow"].metadata()
        slow.may_finish.set()
        await until_shared(crew, [2, 2], 4)
        assert generation_of(crew.groups["slow"].metadata()) >= 0


async def test_a_session_that_the_brokers_do_not_allow_is_refused_by_the_name_of_its_key(
    kafka: str, topic: TopicFactory
) -> None:
    """At once, instead of asking again for ever."""
    name = topic(partitions=1)
    settings = GroupSettings({"bootstrap.servers": kafka}, name, f"g-{name}", "a", session_timeout_s=0.2)
    async with Crew(kafka, name) as crew:
        crew.join("a", settings=settings)
        failure = await crew.failure("a")
        assert isinstance(failure, RefusedError)
        assert "workers.session_timeout" in str(failure)
