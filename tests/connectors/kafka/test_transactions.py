"""What a Kafka sink promises that writes in transactions."""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from confluent_kafka import Producer

from connectors.base import (
    Batch,
    Clock,
    ConnectorError,
    Observer,
    Outcome,
    Record,
    Rejected,
    Scope,
    TransientError,
    UncertainError,
)
from connectors.kafka import transaction_line
from connectors.kafka.settings import KafkaSinkSettings, Transactional
from connectors.kafka.sink import KafkaSink
from connectors.kafka.transaction import AbortedError, Transactions
from connectors.kafka.transaction_line import TransactionLine
from tests.connectors.kafka.sending import alter_topic, batch_of, now_ms, numbered
from tests.connectors.kafka.test_delivery import KafkaTarget
from tests.contracts.sink import Saving, Target, WaitingScopeContract, deliver
from tests.support.factories import TopicFactory
from tests.support.group_member import EverySave, member
from tests.support.kafka_reader import read_topic, until_settled
from tests.support.lost_coordinator import lost_coordinator
from tests.support.waiting import eventually


@asynccontextmanager
async def transactional_sink(
    address: str, topic: str, slots: str, *, writer: str = "worker", dead_letter: str | None = None, **settings: Any
) -> AsyncIterator[KafkaSink]:
    """A sink whose transactions carry one checkpoint each, fenced by a group of one member."""
    async with member(address, slots, writer) as group:
        transactional = Transactional(f"{slots}-{writer}", slots, group, EverySave(), dead_letter)
        sink_settings = KafkaSinkSettings(address, topic, **settings)
        async with KafkaSink(sink_settings, Clock(), Observer(), transactional=transactional) as sink:
            yield sink


class SettledTarget(KafkaTarget):
    """Readers see a transaction some moments after its commit is answered."""

    async def written(self) -> Sequence[Record]:
        assert isinstance(self.sink, KafkaSink)
        assert isinstance(self.sink._line, TransactionLine)
        if not any(scope.waits for scope in self.sink._line._scopes):
            await until_settled(self._address, self._topic)
        return await super().written()


class TestTransactionalKafkaSink(WaitingScopeContract):
    @pytest.fixture
    async def target(self, kafka: str, topic: TopicFactory) -> AsyncIterator[Target]:
        name = topic(partitions=3)
        async with transactional_sink(kafka, name, topic(partitions=1)) as sink:
            yield SettledTarget(sink, kafka, name)


def producers() -> set[int]:
    return {id(each) for each in gc.get_objects() if isinstance(each, Producer)}


async def values(address: str, topic: str) -> list[bytes | None]:
    await until_settled(address, topic)
    return [each.value for each in await read_topic(address, topic)]


async def test_nothing_is_seen_or_answered_before_the_commit(kafka: str, topic: TopicFactory) -> None:
    """A transaction becomes visible as a whole, and its answers come with it."""
    name = topic(partitions=1)
    async with transactional_sink(kafka, name, topic(partitions=1)) as sink:
        scope = await sink.begin()
        answer = scope.submit("lane", numbered(0, 100))
        await eventually(lambda: has_begun(sink), "a transaction begun")
        assert not answer.done()
        assert await read_topic(kafka, name) == []
        await scope.commit(Saving())
        assert await answer == Outcome()
        assert len(await values(kafka, name)) == 100


async def test_an_aborted_scope_leaves_nothing_and_takes_the_following_with_it(kafka: str, topic: TopicFactory) -> None:
    """Whatever was begun before the break was raised raises too; what is submitted again comes once, in order."""
    name = topic(partitions=1)
    async with transactional_sink(kafka, name, topic(partitions=1)) as sink:
        scope, following = await sink.begin(), await sink.begin()
        answers = [scope.submit("lane", numbered(0, 50)), following.submit("lane", numbered(50, 50))]
        scope.abort()
        results = await asyncio.gather(*answers, return_exceptions=True)
        assert all(isinstance(each, ConnectorError) for each in results)
        with pytest.raises(ConnectorError):
            await following.submit("lane", numbered(50, 50))
        await deliver(sink, numbered(0, 50), numbered(50, 50))
        assert await values(kafka, name) == [b"%d" % number for number in range(100)]


@pytest.mark.parametrize("call", ["send_offsets_to_transaction", "commit_transaction"])
async def test_a_coordinator_that_is_lost_breaks_the_scope_and_another_producer_goes_on(
    kafka: str, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Though the call never returns: what was in the scope is sent again, and comes once. Leaving waits for nobody."""
    name = topic(partitions=1)
    monkeypatch.setattr(transaction_line, "_LEAVE_S", 0.1)
    with lost_coordinator(monkeypatch, call) as made:
        async with transactional_sink(kafka, name, topic(partitions=1)) as sink:
            with pytest.raises(ConnectorError) as caught:
                await deliver(sink, numbered(0, 50))
            assert made.is_set()
            assert isinstance(caught.value, UncertainError)
            await deliver(sink, numbered(0, 50))
            assert len(await values(kafka, name)) == 50


async def test_a_line_that_is_left_keeps_no_client(kafka: str, topic: TopicFactory) -> None:
    """Its producer's threads and connections end with it, and wait for no garbage collector."""
    name, before = topic(partitions=1), producers()
    gc.disable()
    try:
        async with transactional_sink(kafka, name, topic(partitions=1)) as sink:
            await deliver(sink, numbered(0, 10))
            [at_work] = producers() - before
        assert at_work not in producers()
    finally:
        gc.enable()


async def test_a_failed_save_gives_up_what_waited_for_it(kafka: str, topic: TopicFactory) -> None:
    """Without its checkpoint no record becomes visible."""
    name = topic(partitions=1)

    async def fail(_: object) -> None:
        raise RuntimeError("disk full")

    async with transactional_sink(kafka, name, topic(partitions=1)) as sink:
        scope = await sink.begin()
        answer = scope.submit("lane", numbered(0, 10))
        with pytest.raises(RuntimeError, match="disk full"):
            await scope.commit(fail)
        with pytest.raises(ConnectorError):
            await answer
        await deliver(sink, numbered(0, 10))
        assert len(await values(kafka, name)) == 10


async def test_a_record_that_the_broker_refuses_is_found_in_a_few_attempts(kafka: str, topic: TopicFactory) -> None:
    """And only that one: the others pass with the next transaction, in order."""
    name = topic(partitions=1)
    old = now_ms() - 600_000
    async with transactional_sink(kafka, name, topic(partitions=1)) as sink:
        await asyncio.to_thread(alter_topic, kafka, name, {"message.timestamp.before.max.ms": "60000"})
        bad = batch_of([(b"bad", b"bad")], time_ms=old, first=50)
        before, after = numbered(0, 50), numbered(51, 49)
        attempts = 0
        while not sink.inspect(bad):
            attempts += 1
            assert attempts <= 12
            with pytest.raises(TransientError):
                await deliver(sink, before, bad, after)
        (rejected,) = sink.inspect(bad)
        assert rejected.reason == "invalid_timestamp"
        assert sink.inspect(before) == sink.inspect(after) == ()
        await deliver_in_the_end(sink, before, after)
        assert await values(kafka, name) == [b"%d" % number for number in (*range(50), *range(51, 100))]


async def test_what_was_refused_is_sent_again_once_it_is_looked_at_again(kafka: str, topic: TopicFactory) -> None:
    """Of that lane alone. The letter topic is asked too, and what is being committed meanwhile is committed once."""
    name, dead = topic(partitions=1), topic(partitions=1, config={"max.message.bytes": "10000"})
    large = batch_of([(b"key", b"x" * 20_000)], first=90)
    async with transactional_sink(kafka, name, topic(partitions=1), dead_letter=dead) as sink:
        for lane in ("lane", "another"):
            sink._refusals.add(name, lane, "7", Rejected(0, "invalid_record", "as a broker said"))
        scope = await sink.begin()
        assert [each.reason for each in scope.inspect_letter(large) or ()] == ["too_large"]
        answer = scope.submit("lane", numbered(0, 50))
        committing = asyncio.create_task(scope.commit(Saving()))
        await asyncio.to_thread(alter_topic, kafka, dead, {"max.message.bytes": "30000"})
        await sink.look_again("lane")
        assert sink.inspect(numbered(7, 1)) == ()
        assert sink.inspect(replace(numbered(7, 1), partition="another"))
        await committing
        assert await answer == Outcome()
        scope = await begun_in_the_end(sink)
        assert scope.inspect_letter(large) == ()
        buried = scope.bury("lane", large)
        assert buried is not None
        await scope.commit(Saving())
        assert await buried == Outcome()
        assert await values(kafka, name) == [b"%d" % number for number in range(50)]
        assert len(await values(kafka, dead)) == 1


async def test_refused_records_go_to_the_dead_letter_in_the_same_transaction(kafka: str, topic: TopicFactory) -> None:
    """Both or none."""
    name, dead = topic(partitions=1), topic(partitions=1)
    async with transactional_sink(kafka, name, topic(partitions=1), dead_letter=dead) as sink:
        scope = await sink.begin()
        buried = scope.bury("lane", numbered(0, 1))
        assert buried is not None
        scope.abort()
        with pytest.raises(ConnectorError):
            await buried
        scope = await sink.begin()
        buried = scope.bury("lane", numbered(0, 1))
        assert buried is not None
        answer = scope.submit("lane", numbered(1, 1))
        await scope.commit(Saving())
        assert (await buried, await answer) == (Outcome(), Outcome())
        assert (await values(kafka, dead), await values(kafka, name)) == ([b"0"], [b"1"])


async def test_what_the_dead_letter_cannot_take_is_told_before_it_is_buried(kafka: str, topic: TopicFactory) -> None:
    """By its index, so that the lane stops right before it; without a dead letter there is nothing to tell."""
    name, slots = topic(partitions=1), topic(partitions=1)
    dead = topic(partitions=1, config={"max.message.bytes": "10000"})
    letter = batch_of([(b"small", b"x"), (b"large", b"x" * 20_000), (b"small", b"x")], time_ms=now_ms(), first=0)
    async with transactional_sink(kafka, name, slots, dead_letter=dead) as sink:
        (unfit,) = (await sink.begin()).inspect_letter(letter) or ()
        assert (unfit.index, unfit.reason) == (1, "too_large")
    async with transactional_sink(kafka, name, slots, writer="another") as sink:
        assert (await sink.begin()).inspect_letter(letter) is None


async def test_a_transaction_of_an_earlier_generation_is_aborted(kafka: str, topic: TopicFactory) -> None:
    """Whoever began it may have lost its slots since; in the present generation it goes on."""
    name, slots = topic(partitions=1), topic(partitions=2)
    async with transactional_sink(kafka, name, slots) as sink:
        scope = await sink.begin()
        answer = scope.submit("lane", numbered(0, 10))
        await eventually(lambda: has_begun(sink), "a transaction begun")
        async with member(kafka, slots, "another"):
            with pytest.raises(TransientError):
                await scope.commit(Saving())
            with pytest.raises(TransientError):
                await answer
            await deliver(sink, numbered(0, 10))
    assert len(await values(kafka, name)) == 10


async def test_records_are_fenced_by_the_generation_in_which_they_were_submitted(
    kafka: str, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However late the transaction begins: by then another worker may own the slots."""
    name, slots = topic(partitions=1), topic(partitions=2)
    may_begin = Event()
    begin = Transactions.begin

    def late(self: Transactions, metadata: bytes) -> None:
        may_begin.wait(30)
        begin(self, metadata)

    async with transactional_sink(kafka, name, slots) as sink:
        monkeypatch.setattr(Transactions, "begin", late)
        scope = await sink.begin()
        answer = scope.submit("lane", numbered(0, 10))
        committing = asyncio.create_task(scope.commit(Saving()))
        async with member(kafka, slots, "another"):
            may_begin.set()
            results = await asyncio.gather(committing, answer, return_exceptions=True)
            assert [type(each) for each in results] == [AbortedError, AbortedError]
    assert await values(kafka, name) == []


async def test_whose_id_is_taken_over_does_not_know_and_goes_on_with_another_producer(
    kafka: str, topic: TopicFactory
) -> None:
    """What was open is ended by the successor at once, and only the checkpoints tell whether a commit took effect."""
    name, slots = topic(partitions=1), topic(partitions=1)
    async with transactional_sink(kafka, name, slots) as sink:
        scope = await sink.begin()
        answer = scope.submit("lane", numbered(0, 10))
        await eventually(lambda: has_begun(sink), "a transaction begun")
        await asyncio.to_thread(take_over, kafka, f"{slots}-worker")
        with pytest.raises(TransientError):
            await scope.commit(Saving())
        with pytest.raises(TransientError):
            await answer
        await deliver(sink, numbered(0, 10))
    assert len(await values(kafka, name)) == 10


async def deliver_in_the_end(sink: KafkaSink, *batches: Batch) -> None:
    """As the engine does: what is aborted is submitted again."""
    while True:
        with suppress(TransientError):
            await deliver(sink, *batches)
            return


async def begun_in_the_end(sink: KafkaSink) -> Scope:
    """As the engine does: whoever meets the end of a line asks for a scope again."""
    while True:
        with suppress(TransientError):
            return await sink.begin()


def take_over(address: str, transactional_id: str) -> None:
    """End what is open under ``transactional_id``, as a successor does."""
    producer = Producer({"bootstrap.servers": address, "transactional.id": transactional_id})
    producer.init_transactions(30)


def has_begun(sink: KafkaSink) -> bool:
    assert isinstance(sink._line, TransactionLine)
    return sink._line._transactions.is_open
