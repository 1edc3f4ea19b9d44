"""Taking slots over: nothing of a former owner is missed, the dead are not waited out, the living are not disturbed.

No transaction here ends by itself within the time that a test may take: its time-out is a minute.
"""

import asyncio

import pytest
from confluent_kafka import KafkaException

from checkpoints.kafka.fence import GroupFence
from checkpoints.kafka.store import KafkaCheckpoints
from checkpoints.kafka.topic import CheckpointTopic
from tests.checkpoints.kafka.writing import (
    SLOTS,
    OpenTransaction,
    WatchedFence,
    member_of,
    place_in,
    store_in,
)
from tests.contracts.checkpoint_store import checkpoint
from tests.support.waiting import eventually

_FAR_BELOW_A_TIMEOUT_S = 30


@pytest.fixture
def fence(place: CheckpointTopic) -> WatchedFence:
    return WatchedFence(place)


@pytest.fixture
def store(place: CheckpointTopic, fence: WatchedFence) -> KafkaCheckpoints:
    """The store of worker me, which is no member of the group: only others are asked for."""
    store, _ = store_in(place, fence, "me-0")
    return store


async def committed(place: CheckpointTopic, writer: str, partition: str, position: str) -> None:
    """``writer`` has saved a checkpoint, in a transaction that is over."""
    store, _ = store_in(place, GroupFence(place.connection), writer)
    async with store:
        await store.save({partition: checkpoint(position)})


async def opened(place: CheckpointTopic, writer: str, slot: int, partition: str, position: str) -> OpenTransaction:
    return await asyncio.to_thread(OpenTransaction, place, writer, slot, {partition: checkpoint(position)})


async def test_a_commit_behind_an_open_transaction_is_not_missed(
    kafka: str, place: CheckpointTopic, fence: WatchedFence, store: KafkaCheckpoints
) -> None:
    """What a reader of committed records cannot see yet is waited for: also behind another mirror's transaction."""
    payments = place_in(kafka, place.topic, "payments")
    with member_of(payments, "payments-1"):
        open_one = await opened(payments, "payments-1-0", 2, "2", "1")
        await committed(place, "former-0", "6", "42")
        async with store:
            taking = asyncio.create_task(store.take(range(SLOTS)))
            await eventually(lambda: fence.asked >= 2, "it is asked who holds the slot up")
            assert not taking.done()
            await asyncio.to_thread(open_one.commit)
            assert await taking == {"6": checkpoint("42")}
    assert "payments-1-0" not in fence.ended


async def test_a_dead_owners_open_transaction_is_ended_by_its_id(
    place: CheckpointTopic, fence: WatchedFence, store: KafkaCheckpoints
) -> None:
    """It is not waited out, its records never come, and what was committed before and behind it is all there."""
    await committed(place, "former-0", "2", "1")
    dead = await opened(place, "dead-0", 2, "2", "9")
    await committed(place, "former-1", "6", "42")
    async with store, asyncio.timeout(_FAR_BELOW_A_TIMEOUT_S):
        assert await store.take(range(SLOTS)) == {"2": checkpoint("1"), "6": checkpoint("42")}
    assert "dead-0" in fence.ended
    with pytest.raises(KafkaException):
        await asyncio.to_thread(dead.commit)


async def test_a_dead_owner_of_another_mirror_is_ended_too(
    kafka: str, place: CheckpointTopic, fence: WatchedFence, store: KafkaCheckpoints
) -> None:
    """Who is alive is asked in the group that the writer was a member of."""
    payments = place_in(kafka, place.topic, "payments")
    await opened(payments, "payments-1-0", 2, "2", "1")
    await committed(place, "former-0", "6", "42")
    async with store, asyncio.timeout(_FAR_BELOW_A_TIMEOUT_S):
        assert await store.take([2]) == {"6": checkpoint("42")}
    assert "payments-1-0" in fence.ended


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
async def test_a_living_workers_transaction_is_waited_for(
    place: CheckpointTopic, fence: WatchedFence, store: KafkaCheckpoints, protocol: str
) -> None:
    """A worker that gives a slot up may have a transaction under way: what it commits is what the next one finds."""
    with member_of(place, "alive", protocol):
        alive = await opened(place, "alive-0", 2, "2", "42")
        async with store:
            taking = asyncio.create_task(store.take([2]))
            await eventually(lambda: fence.asked >= 2, "it is asked who is alive")
            assert not taking.done()
            await asyncio.to_thread(alive.commit)
            assert await taking == {"2": checkpoint("42")}
    assert fence.ended == []


async def test_offsets_under_way_in_the_group_are_waited_for_or_ended(
    place: CheckpointTopic, fence: WatchedFence, store: KafkaCheckpoints
) -> None:
    """A transaction that sent a slot's offset holds it up before any record of it is there; with its worker it dies."""
    await committed(place, "former-0", "2", "1")
    with member_of(place, "former") as member:
        open_one = await opened(place, "former-0", 1, "3", "42")
        await asyncio.to_thread(open_one.send_offset, member, 2)
        async with store, asyncio.timeout(_FAR_BELOW_A_TIMEOUT_S):
            taking = asyncio.create_task(store.take([2]))
            await eventually(lambda: fence.asked >= 2, "it is asked who is alive")
            assert not taking.done()
            assert fence.ended == []
            await asyncio.to_thread(member.leave)
            assert await taking == {"2": checkpoint("1")}
    assert fence.ended == ["former-0"]


async def test_the_own_workers_transactions_are_never_ended(
    place: CheckpointTopic, fence: WatchedFence, store: KafkaCheckpoints
) -> None:
    """A worker does not fence itself, member or not."""
    own = await opened(place, "me-1", 2, "2", "42")
    async with store:
        taking = asyncio.create_task(store.take([2]))
        await asyncio.sleep(0)
        await asyncio.to_thread(own.commit)
        assert await taking == {"2": checkpoint("42")}
        assert (await store.take([2])).keys() == {"2"}
    assert fence.ended == []


async def test_dead_writers_of_checkpoints_are_ended_in_the_background_once(
    kafka: str, place: CheckpointTopic, fence: WatchedFence, store: KafkaCheckpoints
) -> None:
    """What they left open may hold up readers of the mirrored topic, although the slot shows nothing of it."""
    await committed(place, "former-0", "2", "1")
    await committed(place, "former-1", "1", "1")
    elsewhere = place_in(kafka, place.topic, "data")
    await opened(elsewhere, "former-0", 0, "a", "1")
    async with store:
        assert (await store.take([2, 3])).keys() == {"2", "1"}
        await eventually(lambda: len(fence.ended) == 2, "both are ended")
        assert (await store.take([0])).keys() == set()
        assert (await store.take([2])).keys() == {"2"}
    assert sorted(fence.ended) == ["former-0", "former-1"]


async def test_workers_that_end_the_same_transaction_both_go_on(place: CheckpointTopic, fence: WatchedFence) -> None:
    """It is ended once or twice, and neither of them fails."""
    await opened(place, "dead-0", 2, "2", "9")
    stores = [store_in(place, fence, writer)[0] for writer in ("one-0", "two-0", "three-0")]
    async with stores[0], stores[1], stores[2], asyncio.timeout(_FAR_BELOW_A_TIMEOUT_S):
        assert await asyncio.gather(*(each.take([2]) for each in stores)) == [{}, {}, {}]


async def test_a_take_that_is_cancelled_leaves_the_store_in_order(
    place: CheckpointTopic, fence: WatchedFence, store: KafkaCheckpoints
) -> None:
    """Nothing goes on behind it: other slots can be taken at once, and the store can be left."""
    await committed(place, "former-0", "1", "7")
    with member_of(place, "alive"):
        alive = await opened(place, "alive-0", 2, "2", "42")
        async with store, asyncio.timeout(_FAR_BELOW_A_TIMEOUT_S):
            taking = asyncio.create_task(store.take([2]))
            await eventually(lambda: fence.asked >= 1, "it waits")
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
            assert await store.take([3]) == {"1": checkpoint("7")}
        await asyncio.to_thread(alive.commit)


async def test_a_store_can_be_left_while_it_waits(
    place: CheckpointTopic, fence: WatchedFence, store: KafkaCheckpoints
) -> None:
    """A worker that is told to stop does not wait for somebody else's transaction."""
    with member_of(place, "alive"):
        alive = await opened(place, "alive-0", 2, "2", "42")
        async with asyncio.timeout(_FAR_BELOW_A_TIMEOUT_S):
            async with store:
                taking = asyncio.create_task(store.take([2]))
                await eventually(lambda: fence.asked >= 1, "it waits")
                taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
        await asyncio.to_thread(alive.commit)
