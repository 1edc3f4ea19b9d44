"""What a Kafka sink does when brokers fail, topics change and records are refused."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from threading import enumerate as running_threads
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.cimpl import NewPartitions

from connectors.base import Batch, Clock, ConnectorError, Outcome, RefusedError, Scope, TransientError
from connectors.kafka.inspection import TopicInspector
from connectors.kafka.watch import Lookout, Sight
from tests.connectors.kafka.reading import PROMPT_S
from tests.connectors.kafka.sending import alter_topic, batch_of, now_ms, numbered, sink_to
from tests.connectors.kafka.test_delivery import assert_complete
from tests.support.factories import OwnKafka, TopicFactory
from tests.support.kafka_reader import read_topic
from tests.support.topics import create_topic, delete_topic
from tests.support.waiting import eventually

_HOUR_MS = 3_600_000
_ALERT: dict[str, Any] = {"metadata_refresh_ms": 300, "librdkafka": {"topic.metadata.propagation.max.ms": 300}}


async def outcome_of(answer: asyncio.Future[Outcome]) -> Outcome | ConnectorError:
    try:
        return await answer
    except ConnectorError as error:
        return error


def aged(first: int, count: int, *, old: int, age_ms: int) -> Batch:
    """Numbered records of which the one at ``old`` is from ``age_ms`` ago."""
    batch = numbered(first, count)
    times = [now_ms()] * count
    times[old] -= age_ms
    return Batch(batch.partition, batch.place, batch.positions, batch.keys, batch.values, times)


async def test_a_killed_broker_costs_neither_records_nor_order(own_kafka: OwnKafka) -> None:
    """Records wait while the broker is away, and go on where they were, without a break."""
    broker = await asyncio.to_thread(own_kafka)
    await asyncio.to_thread(create_topic, broker.address, "orders", 3)
    async with sink_to(broker.address, "orders") as sink:
        scope = await sink.begin()
        answers = [scope.submit("lane", numbered(first, 500, size=500)) for first in range(0, 10_000, 500)]
        await answers[3]
        await asyncio.to_thread(broker.kill)
        answers += [scope.submit("lane", numbered(first, 500, size=500)) for first in range(10_000, 15_000, 500)]
        await asyncio.to_thread(broker.start)
        await asyncio.gather(*answers)
        written = await read_topic(broker.address, "orders")
    assert_complete(written, 15_000)


@pytest.fixture
async def strict(kafka: str, topic: TopicFactory) -> AsyncIterator[tuple[str, Scope]]:
    """A topic that takes no old records, which it did when the scope began."""
    name = topic(partitions=2)
    async with sink_to(kafka, name) as sink:
        scope = await sink.begin()
        await scope.submit("lane", numbered(0, 100))
        await asyncio.to_thread(alter_topic, kafka, name, {"message.timestamp.before.max.ms": str(_HOUR_MS)})
        yield name, scope


async def test_nothing_follows_a_hole(kafka: str, strict: tuple[str, Scope]) -> None:
    """A refused record breaks the scope: all behind it raises, later submissions too, and each key is a prefix."""
    name, scope = strict
    answers = [scope.submit("lane", aged(100, 500, old=250, age_ms=2 * _HOUR_MS))]
    answers += [scope.submit("lane", numbered(first, 500)) for first in range(600, 5600, 500)]
    outcomes = [await outcome_of(answer) for answer in answers]
    assert all(isinstance(each, TransientError) for each in outcomes)
    with pytest.raises(TransientError):
        await scope.submit("lane", numbered(5600, 1))
    numbers: dict[bytes | None, list[int]] = {}
    for each in await read_topic(kafka, name):
        numbers.setdefault(each.key, []).append(int(each.value or b""))
    assert all(each == list(range(each[0], each[-1] + 1, 20)) for each in numbers.values())
    assert max(numbers[b"key-10"]) < 350


async def test_a_refused_record_is_rejected_alone_when_it_is_sent_again(kafka: str, topic: TopicFactory) -> None:
    """The next scope has read the topic's new setting: the record is rejected with it, its neighbours go through."""
    name = topic(partitions=2)
    async with sink_to(kafka, name) as sink:
        scope = await sink.begin()
        await asyncio.to_thread(alter_topic, kafka, name, {"message.timestamp.before.max.ms": str(_HOUR_MS)})
        batch = aged(0, 300, old=77, age_ms=2 * _HOUR_MS)
        with pytest.raises(TransientError):
            await scope.submit("lane", batch)
        (rejected,) = (await (await sink.begin()).submit("lane", batch)).rejected
        assert (rejected.index, rejected.reason) == (77, "invalid_timestamp")
        assert "message.timestamp.before.max.ms" in rejected.detail
        assert [each.index for each in sink.inspect(batch)] == [77]
    assert {int(each.value or b"") for each in await read_topic(kafka, name)} == set(range(300)) - {77}


async def test_a_record_that_only_the_broker_finds_wrong_is_named(kafka: str, topic: TopicFactory) -> None:
    """Where clocks might differ the broker decides: the scope breaks once, then the culprit alone is rejected."""
    name = topic(partitions=2, config={"message.timestamp.before.max.ms": str(_HOUR_MS)})
    batch = aged(0, 300, old=77, age_ms=_HOUR_MS + 30_000)
    async with sink_to(kafka, name) as sink:
        assert sink.inspect(batch) == ()
        with pytest.raises(TransientError):
            await (await sink.begin()).submit("lane", batch)
        scope = await sink.begin()
        outcomes = await asyncio.gather(scope.submit("lane", batch), scope.submit("lane", numbered(300, 300)))
    assert [each.index for outcome in outcomes for each in outcome.rejected] == [77]
    assert outcomes[0].rejected[0].reason in {"invalid_timestamp", "invalid_record"}
    written = [int(each.value or b"") for each in await read_topic(kafka, name)]
    assert set(written) == set(range(600)) - {77}


async def test_a_null_key_for_a_topic_that_became_compacted_is_named(kafka: str, topic: TopicFactory) -> None:
    """A setting that changes in mid-run ends in rejected records, not in a loop."""
    name = topic(partitions=1)
    batch = batch_of([(b"a", b"0"), (None, b"1"), (b"b", b"2"), (None, b"3"), (b"a", b"4")])
    async with sink_to(kafka, name) as sink:
        scope = await sink.begin()
        await asyncio.to_thread(alter_topic, kafka, name, {"cleanup.policy": "compact"})
        with pytest.raises(TransientError):
            await scope.submit("lane", batch)
        outcome = await (await sink.begin()).submit("lane", batch)
    assert [(each.index, each.reason) for each in outcome.rejected] == [(1, "null_key"), (3, "null_key")]
    assert [each.value for each in await read_topic(kafka, name)] == [b"0", b"2", b"4"]


async def test_records_too_large_are_rejected_alone(kafka: str, topic: TopicFactory) -> None:
    """Each names the size that the topic would need; with exactly that size it is taken."""
    name = topic(partitions=1, config={"max.message.bytes": "10000"})
    sizes = [10, 20_000, 9_000, 10_000, 100]
    batch = batch_of([(b"key", b"x" * size) for size in sizes])
    async with sink_to(kafka, name, compression="none") as sink:
        outcome = await (await sink.begin()).submit("lane", batch)
    assert [(each.index, each.reason) for each in outcome.rejected] == [(1, "too_large"), (3, "too_large")]
    assert [len(each.value or b"") for each in await read_topic(kafka, name)] == [10, 9_000, 100]
    needed = outcome.rejected[0].detail.partition("at least ")[2].partition(";")[0]
    for limit, taken in ((int(needed) - 1, False), (int(needed), True)):
        await asyncio.to_thread(alter_topic, kafka, name, {"max.message.bytes": str(limit)})
        async with sink_to(kafka, name, compression="none") as sink:
            outcome = await (await sink.begin()).submit("lane", batch.pick([1]))
        assert (outcome.rejected == ()) == taken


async def test_a_limit_that_was_raised_is_known_once_it_is_looked_at_again(kafka: str, topic: TopicFactory) -> None:
    """What is on its way comes once and in order all the same, and the producer sends what it would have refused."""
    name = topic(partitions=1, config={"max.message.bytes": "10000"})
    large = batch_of([(b"key", b"x" * 20_000)], first=50)
    async with sink_to(kafka, name, compression="none") as sink:
        assert sink.inspect(large)
        scope = await sink.begin()
        await scope.submit("lane", numbered(0, 50, keys=1))
        await sink.look_again("lane")
        await scope.submit("lane", numbered(51, 9, keys=1))
        await asyncio.to_thread(alter_topic, kafka, name, {"max.message.bytes": "30000"})
        await sink.look_again("lane")
        assert sink.inspect(large) == ()
        with pytest.raises(TransientError):
            await scope.submit("lane", large)
        assert await (await sink.begin()).submit("lane", large) == Outcome()
    assert [len(each.value or b"") for each in await read_topic(kafka, name)][-1] == 20_000


async def test_a_changed_partition_count_is_refused(kafka: str, topic: TopicFactory) -> None:
    """Keys would move: the scope breaks, and the next one names both counts."""
    name = topic(partitions=2)
    async with sink_to(kafka, name, metadata_refresh_ms=300) as sink:
        scope = await sink.begin()
        await scope.submit("lane", numbered(0, 100))
        admin = AdminClient({"bootstrap.servers": kafka})
        await asyncio.to_thread(admin.create_partitions([NewPartitions(name, 3)])[name].result, 30)
        await _until_broken(scope)
        with pytest.raises(RefusedError, match="had 2 partitions and has 3") as told:
            await sink.begin()
        assert "kmbridge checkpoints accept takes the new number; or mirror into a topic with 2" in told.value.hint
        with pytest.raises(RefusedError, match="had 2 partitions and has 3"):
            await sink.begin()


async def test_a_deleted_topic_is_refused(kafka: str, topic: TopicFactory) -> None:
    """It is not waited for, and not made again."""
    name = topic(partitions=2)
    async with sink_to(kafka, name, **_ALERT) as sink:
        scope = await sink.begin()
        await scope.submit("lane", numbered(0, 100))
        await asyncio.to_thread(delete_topic, kafka, name)
        await _until_broken(scope)
        with pytest.raises(RefusedError, match="does not exist"):
            await sink.begin()


async def test_a_recreated_topic_is_refused(kafka: str, topic: TopicFactory) -> None:
    """Another topic of the same name is not the one that the checkpoints speak of."""
    name = topic(partitions=2)
    async with sink_to(kafka, name, **_ALERT) as sink:
        scope = await sink.begin()
        await scope.submit("lane", numbered(0, 100))
        await asyncio.to_thread(delete_topic, kafka, name)
        await _until_broken(scope)
        await asyncio.to_thread(create_topic, kafka, name, 2)
        with pytest.raises(RefusedError, match="recreated"):
            await sink.begin()


async def test_a_topic_recreated_before_librdkafka_misses_it_is_refused(kafka: str, topic: TopicFactory) -> None:
    """With as many partitions it looks the same to librdkafka, and would be written to."""
    name = topic(partitions=2)
    async with sink_to(kafka, name, metadata_refresh_ms=300) as sink:
        scope = await sink.begin()
        await scope.submit("lane", numbered(0, 100))
        await asyncio.to_thread(delete_topic, kafka, name)
        await asyncio.to_thread(create_topic, kafka, name, 2)
        async with asyncio.timeout(20):
            await _until_broken(scope)
        with pytest.raises(RefusedError, match="recreated"):
            await sink.begin()


async def test_a_sink_is_left_at_once_while_its_broker_is_silent(
    own_kafka: OwnKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch over the topic does not wait for its answer then."""
    broker = await asyncio.to_thread(own_kafka)
    await asyncio.to_thread(create_topic, broker.address, "orders", 1)
    asked: list[str] = []

    def asking(lookout: Lookout, name: str) -> Sight | None:
        asked.append(name)
        return ask(lookout, name)

    ask = Lookout.topic
    monkeypatch.setattr(Lookout, "topic", asking)
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(sink_to(broker.address, "orders", metadata_refresh_ms=100))
        await (await sink.begin()).submit("lane", numbered(0, 10))
        await asyncio.to_thread(broker.freeze)
        before = len(asked)
        # One that was under way may have been answered.
        await eventually(lambda: len(asked) > before, "the watch waits for an answer")
        async with asyncio.timeout(PROMPT_S):
            await stack.aclose()
    assert [thread.name for thread in running_threads() if "kafka orders" in thread.name] == []


async def test_a_lost_permission_is_named(own_kafka: OwnKafka) -> None:
    """Without the right to write, the scope breaks and the next one says which permission is missing.

    Whoever only looks is told it too.
    """
    broker = await asyncio.to_thread(own_kafka, _WITH_PERMISSIONS)
    await asyncio.to_thread(create_topic, broker.address, "orders", 1)
    async with sink_to(broker.address, "orders") as sink:
        scope = await sink.begin()
        await scope.submit("lane", numbered(0, 10))
        await asyncio.to_thread(_forbid_writing, broker.address, "orders")
        await _until_broken(scope)
        with pytest.raises(RefusedError, match="Write"):
            await sink.begin()
        with pytest.raises(RefusedError, match="Write"):
            await sink.begin()
    with pytest.raises(RefusedError, match=r"orders.*Write"):
        async with sink_to(broker.address, "orders"):
            pass
    inspector = TopicInspector({"bootstrap.servers": broker.address}, Clock(), 8.0)
    seen = await asyncio.to_thread(inspector.describe, "orders")
    assert seen is not None
    assert [seen.may(each) for each in (AclOperation.WRITE, AclOperation.DESCRIBE)] == [False, True]


_WITH_PERMISSIONS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


def _forbid_writing(address: str, topic: str) -> None:
    resource = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*")
    rules = [
        AclBinding(*resource, AclOperation.WRITE, AclPermissionType.DENY),
        AclBinding(*resource, AclOperation.DESCRIBE, AclPermissionType.ALLOW),
        AclBinding(*resource, AclOperation.DESCRIBE_CONFIGS, AclPermissionType.ALLOW),
    ]
    admin = AdminClient({"bootstrap.servers": address})
    for done in admin.create_acls(rules).values():
        done.result(30)


async def _until_broken(scope: Scope) -> None:
    """Submit until the change has been noticed."""
    number = 1000
    while not isinstance(await outcome_of(scope.submit("lane", numbered(number, 20))), ConnectorError):
        number += 20
