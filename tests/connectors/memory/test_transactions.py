"""Transactions in memory keep the contract of sinks, and end as those of a cluster do."""

from collections.abc import AsyncIterator, Sequence
from random import Random

import pytest

from connectors.base import ConnectorError, Record, TransientError, UncertainError
from connectors.memory.cluster import Alone, Change, Membership, MemoryCluster
from connectors.memory.faults import Faults
from connectors.memory.topic import MemoryTopic
from connectors.memory.transactions import Attachment, MemoryTopics, TransactionalMemorySink
from tests.contracts.sink import Saving, Target, WaitingScopeContract, batch, series


class Noted(Change, Attachment):
    """One change a transaction, and how it ended."""

    def __init__(self) -> None:
        self.ends: list[bool] = []

    def open(self) -> None:
        """Nothing is collected: there is one of itself."""

    def take(self) -> Sequence[Change]:
        return [self]

    def hold(self) -> None:
        """Nobody reads meanwhile."""

    def end(self, *, committed: bool) -> None:
        self.ends.append(committed)


class MemoryTarget(Target):
    def __init__(self, faults: Faults, membership: Membership) -> None:
        self._topic = MemoryTopic("orders", 3)
        self.dead = MemoryTopic("dead", 1)
        self.noted = Noted()
        topics = MemoryTopics(self._topic, self.dead)
        self.sink = TransactionalMemorySink(topics, MemoryCluster(Random(1)), self.noted, faults, membership)

    async def written(self) -> Sequence[Record]:
        return [record for log in self._topic.partitions for record in log]


class TestTransactionalMemorySink(WaitingScopeContract):
    @pytest.fixture
    async def target(self) -> AsyncIterator[Target]:
        target = MemoryTarget(Faults(), Alone())
        async with target.sink:
            yield target


class Fails(Faults):
    """Every operation of one kind fails."""

    def __init__(self, operation: str) -> None:
        self._operation = operation

    async def before(self, operation: str, target: str) -> None:
        if operation == self._operation:
            raise TransientError(f"{operation} {target}", "a fault on request")


class Away(Membership):
    """A member whom the group has forgotten."""

    def generation(self) -> int:
        return 1

    def is_current(self, generation: int) -> bool:
        return False


async def test_records_and_letters_become_visible_together() -> None:
    """A dead letter is part of the scope, covered and answered as every submission."""
    target, save = MemoryTarget(Faults(), Alone()), Saving()
    async with target.sink:
        scope = await target.sink.begin()
        letter = batch("lane", series("lane", 1, 3), first=3)
        answers = [scope.submit("lane", batch("lane", series("lane", 3))), scope.bury("lane", letter)]
        assert target.dead.partitions == [[]]
        await scope.commit(save)
        assert all(answer is not None and answer.done() for answer in answers)
    assert (len(await target.written()), len(target.dead.partitions[0])) == (3, 1)
    assert save.covered == {"lane": letter.place}
    assert target.noted.ends == [True]


@pytest.mark.parametrize("operation", ["write", "prepare", "commit"])
async def test_a_fault_before_the_commit_aborts(operation: str) -> None:
    """Nothing of the transaction is seen, and whoever commits knows that."""
    target = MemoryTarget(Fails(operation), Alone())
    async with target.sink:
        scope = await target.sink.begin()
        answer = scope.submit("lane", batch("lane", series("lane", 3)))
        with pytest.raises(TransientError) as caught:
            await scope.commit(Saving())
        assert not isinstance(caught.value, UncertainError)
        with pytest.raises(ConnectorError):
            await answer
    assert await target.written() == []
    assert True not in target.noted.ends


async def test_a_lost_answer_is_uncertain() -> None:
    """Records and checkpoints are there or not, both, and nobody is told."""
    target = MemoryTarget(Fails("committed"), Alone())
    async with target.sink:
        scope = await target.sink.begin()
        answer = scope.submit("lane", batch("lane", series("lane", 3)))
        with pytest.raises(UncertainError):
            await scope.commit(Saving())
        with pytest.raises(UncertainError):
            await answer
    assert (len(await target.written()) == 3) == (target.noted.ends == [True])


async def test_an_earlier_generation_is_fenced() -> None:
    """Who is no member any more commits nothing."""
    target = MemoryTarget(Faults(), Away())
    async with target.sink:
        scope = await target.sink.begin()
        answer = scope.submit("lane", batch("lane", series("lane", 3)))
        with pytest.raises(TransientError, match="fenced"):
            await scope.commit(Saving())
        with pytest.raises(ConnectorError):
            await answer
    assert await target.written() == []
