"""What a member of a group commits, and what it may not commit any more, at a real broker."""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import closing
from dataclasses import replace
from typing import Literal

import pytest

from bridge.coordination import kafka_group
from bridge.coordination.kafka_group import KafkaGroup
from checkpoints.base import FencedError
from checkpoints.kafka.group.committer import CommittedOffset, ConsumerGroup
from checkpoints.kafka.group.offsets import GroupOffsets
from checkpoints.kafka.group.store import GroupCheckpointReader
from tests.support.factories import TopicFactory
from tests.support.group_member import Idle, group_settings, member
from tests.support.member_process import MemberProcess
from tests.support.ports import HOST, free_port
from tests.support.topics import add_partitions
from tests.support.waiting import eventually

pytestmark = pytest.mark.broker

Protocol = Literal["classic", "consumer"]
SESSION_S = 2.0


def place_of(address: str, topic: str) -> ConsumerGroup:
    settings = group_settings(address, topic, "reader")
    return ConsumerGroup(settings.client, settings.group, topic)


async def committed(address: str, topic: str) -> Mapping[int, CommittedOffset]:
    """As anybody sees it."""
    with closing(GroupOffsets(place_of(address, topic))) as offsets:
        return await asyncio.to_thread(offsets.look_up)


async def test_what_a_member_commits_is_seen_with_its_metadata(kafka: str, topic: TopicFactory) -> None:
    """By every tool; of partitions that are not its own, too, as whoever begins a mirror has to."""
    name = topic(partitions=2)
    offsets = {0: CommittedOffset(42, '{"kmbridge":1}'), 1: CommittedOffset(0, "späť")}
    async with member(kafka, name) as group:
        await group.commit(offsets)
        assert await committed(kafka, name) == offsets


async def test_commits_are_made_in_the_order_of_the_calls(kafka: str, topic: TopicFactory) -> None:
    """The last one stands, whatever became of those that nobody waits for any more."""
    name = topic(partitions=1)
    async with member(kafka, name) as group:
        calls = [asyncio.create_task(group.commit({0: CommittedOffset(offset)})) for offset in range(20)]
        await asyncio.sleep(0)
        for call in calls[5:15]:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert await committed(kafka, name) == {0: CommittedOffset(19)}


async def test_metadata_that_the_broker_does_not_take_are_refused_by_name(kafka: str, topic: TopicFactory) -> None:
    """Nothing is committed, and the setting is named."""
    name = topic(partitions=1)
    async with member(kafka, name) as group:
        with pytest.raises(Exception, match=r"offset\.metadata\.max\.bytes"):
            await group.commit({0: CommittedOffset(1, "x" * 5_000)})
        assert await committed(kafka, name) == {}


async def test_before_it_has_joined_a_worker_commits_nothing() -> None:
    """An empty group would take it from anybody; so it is not even sent, here to nobody."""
    owner = Idle()
    async with (
        KafkaGroup(group_settings(f"{HOST}:{free_port()}", "orders", "a")) as group,
        asyncio.TaskGroup() as tasks,
    ):
        running = tasks.create_task(group.run(owner))
        with pytest.raises(FencedError, match="no member"):
            await group.commit({0: CommittedOffset(1)})
        running.cancel()


async def test_after_it_has_left_a_worker_commits_nothing(kafka: str, topic: TopicFactory) -> None:
    """As before it has joined."""
    name = topic(partitions=1)
    async with member(kafka, name) as group:
        pass
    with pytest.raises(FencedError, match="has left"):
        await group.commit({0: CommittedOffset(1)})
    assert await committed(kafka, name) == {}


class Saver(Idle):
    """Saves last when slots are given up, a save under way before it, as the engine does."""

    group: KafkaGroup

    async def give_up(self, slots: Collection[int]) -> None:
        under_way = asyncio.create_task(self.group.commit({slot: CommittedOffset(1, "under way") for slot in slots}))
        await asyncio.sleep(0)
        await under_way
        await self.group.commit({slot: CommittedOffset(2, "last") for slot in slots})
        await super().give_up(slots)


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
async def test_what_is_saved_last_in_a_hand_over_passes(kafka: str, topic: TopicFactory, protocol: Protocol) -> None:
    """The generation has risen by then, and whoever takes the slots finds it."""
    name = topic(partitions=4)
    first, second = Saver(), Idle()
    first.group = KafkaGroup(replace(group_settings(kafka, name, "first"), protocol=protocol))
    later = KafkaGroup(replace(group_settings(kafka, name, "second"), protocol=protocol))
    async with first.group, later, asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(first.group.run(first))]
        await eventually(lambda: len(first.slots) == 4, "all slots")
        running.append(tasks.create_task(later.run(second)))
        await eventually(lambda: len(second.slots) == 2, "slots handed over")
        assert await committed(kafka, name) == dict.fromkeys(second.slots, CommittedOffset(2, "last"))
        for each in running:
            each.cancel()


async def test_a_commit_under_way_does_not_keep_a_hand_over_waiting(kafka: str, topic: TopicFactory) -> None:
    """A worker that saves without a pause hands over all the same, and every save of it is answered."""
    name = topic(partitions=4)

    class Busy(Idle):
        async def give_up(self, slots: Collection[int]) -> None:
            before = len(answered)
            await eventually(lambda: len(answered) > before, "an answer")
            await super().give_up(slots)

    answered: list[int] = []
    owner = Busy()
    async with KafkaGroup(group_settings(kafka, name, "busy")) as group, asyncio.TaskGroup() as tasks:

        async def save() -> None:
            while True:
                await group.commit({0: CommittedOffset(len(answered))})
                answered.append(0)

        running = [tasks.create_task(group.run(owner))]
        await eventually(lambda: len(owner.slots) == 4, "all slots")
        running.append(tasks.create_task(save()))
        async with member(kafka, name, "other"):
            await eventually(lambda: len(owner.slots) == 2, "slots handed over")
        for each in running:
            each.cancel()


async def test_an_owner_that_is_overruled_commits_nothing_until_it_has_given_up(
    kafka: str, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others own its slots by then."""
    monkeypatch.setattr(kafka_group, "_GIVE_UP_S", 0.2)
    name = topic(partitions=2)
    may_finish = asyncio.Event()

    class Slow(Idle):
        async def give_up(self, slots: Collection[int]) -> None:
            await may_finish.wait()
            await super().give_up(slots)

    owner = Slow()
    async with KafkaGroup(group_settings(kafka, name, "slow")) as group, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(group.run(owner))
        await eventually(lambda: len(owner.slots) == 2, "all slots")
        async with member(kafka, name, "other"):
            with pytest.raises(FencedError):
                await group.commit({0: CommittedOffset(1)})
            confirming = tasks.create_task(group.confirm())
            await asyncio.sleep(0)
            may_finish.set()
            await confirming
            assert len(owner.slots) == 1
        running.cancel()


async def test_a_topic_that_grows_has_more_slots(kafka: str, topic: TopicFactory) -> None:
    """Its partitions are divided anew without anybody asking."""
    name = topic(partitions=1)
    owner = Idle()
    async with KafkaGroup(group_settings(kafka, name, "a")) as group, asyncio.TaskGroup() as tasks:
        running = tasks.create_task(group.run(owner))
        await eventually(lambda: owner.slots == {0}, "the first slot")
        await asyncio.to_thread(add_partitions, kafka, name, 3)
        await eventually(lambda: owner.slots == {0, 1, 2}, "the new slots")
        await group.commit({2: CommittedOffset(7)})
        assert await committed(kafka, name) == {2: CommittedOffset(7)}
        running.cancel()


async def test_a_member_is_confirmed_and_nothing_is_moved(kafka: str, topic: TopicFactory) -> None:
    """What is committed stays as it is, to the metadata; what never was is still no checkpoint."""
    name = topic(partitions=2)
    async with member(kafka, name) as group:
        await group.confirm()
        assert await GroupCheckpointReader(place_of(kafka, name)).load() == {}
        offsets = {1: CommittedOffset(42, "of another tool")}
        await group.commit(offsets)
        await group.confirm()
        assert {slot: each for slot, each in (await committed(kafka, name)).items() if slot in offsets} == offsets


async def test_who_has_no_slots_is_not_kept_waiting(kafka: str, topic: TopicFactory) -> None:
    """There is nothing that could be somebody else's."""
    group = KafkaGroup(group_settings(kafka, topic(partitions=1), "a"))
    async with asyncio.timeout(5):
        await group.confirm()


async def test_a_worker_that_was_away_for_longer_than_its_session_hears_that_before_it_is_confirmed(
    kafka: str, topic: TopicFactory
) -> None:
    """It commits nothing over what its successor did, and is confirmed only when its owner has lost the slots."""
    name = topic(partitions=2)
    async with MemberProcess(kafka, name, "away", SESSION_S) as away:
        await away.until_said("taken 0 1")
        away.tell("commit 0 3")
        await away.until_said("committed 0 3")
        away.freeze()
        async with member(kafka, name, "successor") as successor:
            await successor.commit({0: CommittedOffset(9), 1: CommittedOffset(9)})
            away.tell("commit 0 5")
            away.tell("confirm")
            away.thaw()
            await away.until_said("confirmed")
            await away.until_said("refused 0 5 FencedError")
            assert away.said.index("lost 0 1") < away.said.index("confirmed")
            assert await committed(kafka, name) == {0: CommittedOffset(9), 1: CommittedOffset(9)}


async def test_a_worker_that_was_away_and_found_the_group_empty_is_not_confirmed_in_what_it_had(
    kafka: str, topic: TopicFactory
) -> None:
    """Its successor has come and gone: an empty group takes offsets of anybody, and that tells nothing."""
    name = topic(partitions=2)
    async with MemberProcess(kafka, name, "away", SESSION_S) as away:
        await away.until_said("taken 0 1")
        away.freeze()
        async with member(kafka, name, "successor") as successor:
            await successor.commit({0: CommittedOffset(9)})
        away.tell("confirm")
        away.thaw()
        await away.until_said("confirmed")
        assert away.said.index("lost 0 1") < away.said.index("confirmed")
        assert (await committed(kafka, name))[0] == CommittedOffset(9)


async def test_a_worker_that_was_away_for_a_moment_is_confirmed_in_what_it_had(kafka: str, topic: TopicFactory) -> None:
    """Its session goes on, and so does its work."""
    name = topic(partitions=2)
    async with MemberProcess(kafka, name, "away", 10.0) as away:
        await away.until_said("taken 0 1")
        away.freeze()
        away.tell("confirm")
        away.thaw()
        await away.until_said("confirmed")
        assert away.said == ["taken 0 1", "confirmed"]
