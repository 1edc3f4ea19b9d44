"""How commits are handed to the thread that polls, with a consumer that answers when it is told."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from bridge.coordination.commits import Commits
from checkpoints.base import CheckpointError, FencedError
from checkpoints.kafka.group.committer import ConsumerGroup

PLACE = ConsumerGroup({}, "kmbridge-orders", "orders")


class Told:
    """A consumer that notes what is committed, and how."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.made: list[int] = []
        self.refusal: KafkaError | None = None

    def commit(self, offsets: list[TopicPartition], *, asynchronous: bool) -> list[TopicPartition] | None:
        if asynchronous:
            self.sent += [each.offset for each in offsets]
            return None
        if self.refusal is not None:
            raise KafkaException(self.refusal)
        self.made += [each.offset for each in offsets]
        return offsets


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def consumer(told: Told) -> Consumer:
    return cast("Consumer", told)


def offsets(offset: int) -> list[TopicPartition]:
    return [TopicPartition("orders", 0, offset)]


async def asked(commits: Commits, *each: int) -> list[asyncio.Task[None]]:
    """Commits of these offsets, asked for one after the other."""

    def asking(offset: int) -> asyncio.Task[None]:
        return asyncio.create_task(commits.ask(lambda _consumer: offsets(offset)))

    tasks = [asking(offset) for offset in each]
    await asyncio.sleep(0)
    return tasks


async def results(tasks: Sequence[asyncio.Task[None]]) -> list[BaseException | None]:
    async with asyncio.timeout(10):
        return await asyncio.gather(*tasks, return_exceptions=True)


async def test_one_commit_is_under_way_at_a_time(told: Told, consumer: Consumer) -> None:
    """So none comes after a later one, whatever becomes of the first."""
    commits = Commits(PLACE)
    tasks = await asked(commits, 1, 2)
    commits.serve(consumer)
    commits.serve(consumer)
    assert told.sent == [1]
    commits.answered(None, offsets(1))
    commits.serve(consumer)
    commits.answered(None, offsets(2))
    commits.serve(consumer)
    assert told.sent == [1, 2]
    assert await results(tasks) == [None, None]


async def test_what_is_under_way_is_made_again_where_nothing_is_polled(told: Told, consumer: Consumer) -> None:
    """Its answer would come too late for who hands over, and counts for nothing when it does."""
    commits = Commits(PLACE)
    tasks = await asked(commits, 1, 2)
    commits.serve(consumer)
    commits.serve_at_once(consumer)
    assert (told.sent, told.made) == ([1], [1, 2])
    assert await results(tasks) == [None, None]
    (later,) = await asked(commits, 3)
    commits.serve(consumer)
    commits.answered(KafkaError(KafkaError.ILLEGAL_GENERATION), offsets(1))
    commits.serve(consumer)
    assert not later.done()
    commits.answered(None, offsets(3))
    commits.serve(consumer)
    assert await results([later]) == [None]


async def test_a_commit_that_meets_a_change_of_generation_is_sent_again(told: Told, consumer: Consumer) -> None:
    """Before those that wait; a member passes in the next generation, and who is none hears of that."""
    commits = Commits(PLACE)
    tasks = await asked(commits, 1, 2)
    commits.serve(consumer)
    for code in (KafkaError.REBALANCE_IN_PROGRESS, KafkaError.ILLEGAL_GENERATION):
        commits.answered(KafkaError(code), offsets(1))
        commits.serve(consumer)
    assert told.sent == [1, 1, 1]
    commits.refuse("lost")
    assert [type(each) for each in await results(tasks)] == [FencedError, FencedError]
    commits.serve(consumer)
    assert told.sent == [1, 1, 1]


@pytest.mark.parametrize(
    ("code", "kind"), [(KafkaError.UNKNOWN_MEMBER_ID, FencedError), (KafkaError.REQUEST_TIMED_OUT, CheckpointError)]
)
async def test_what_the_broker_refuses_is_told_to_who_asked_for_it(
    told: Told, consumer: Consumer, code: int, kind: type[CheckpointError]
) -> None:
    """By polling, and where nothing is polled."""
    commits = Commits(PLACE)
    first, second = await asked(commits, 1, 2)
    commits.serve(consumer)
    commits.answered(KafkaError(code), offsets(1))
    commits.serve(consumer)
    assert told.sent == [1, 2]
    told.refusal = KafkaError(code)
    commits.serve_at_once(consumer)
    assert [type(each) for each in await results([first, second])] == [kind, kind]


async def test_a_refusal_of_one_partition_is_one_of_the_commit(told: Told, consumer: Consumer) -> None:
    """Where the broker takes the others."""

    class Refused(TopicPartition):
        error = KafkaError(KafkaError.OFFSET_METADATA_TOO_LARGE)

    commits = Commits(PLACE)
    tasks = await asked(commits, 1)
    commits.serve(consumer)
    commits.answered(None, [Refused("orders", 0, 1)])
    commits.serve(consumer)
    (refusal,) = await results(tasks)
    assert "offset.metadata.max.bytes" in str(refusal)


async def test_what_nobody_waits_for_any_more_is_not_sent(told: Told, consumer: Consumer) -> None:
    """A save that was cancelled before its turn has no effect."""
    commits = Commits(PLACE)
    first, second = await asked(commits, 1, 2)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    commits.serve(consumer)
    assert told.sent == [2]
    commits.close()
    assert [type(each) for each in await results([second])] == [FencedError]
    assert [type(each) for each in await results(await asked(commits, 3))] == [FencedError]
