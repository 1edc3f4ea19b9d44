"""What a Kafka source does while brokers are away, and when it may not read."""

import asyncio
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from threading import enumerate as running_threads
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType

from bridge.engine.budget import ByteBudget
from connectors.base import Batch, Place, RefusedError, UnreachableError
from tests.connectors.kafka.reading import LIMIT, P0, P1, PATIENCE_S, PROMPT_S, fill, series, source_of, take, values
from tests.connectors.kafka.sending import Memory
from tests.support.factories import OwnKafka, TopicFactory
from tests.support.kafka import KafkaBroker, Listener
from tests.support.kafka_proxy import KafkaProxy
from tests.support.ports import HOST, free_port
from tests.support.topics import create_topic
from tests.support.waiting import eventually

_GROUP = (ResourceType.GROUP, "*", ResourcePatternType.LITERAL, "User:ANONYMOUS", "*")
_WITH_PERMISSIONS = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}


@pytest.mark.parametrize("away_s", [0, pytest.param(60, marks=pytest.mark.long)])
@pytest.mark.parametrize("end", ["kill", "stop"])
async def test_a_broker_that_is_away_costs_neither_records_nor_order(
    own_kafka: OwnKafka, end: str, away_s: float
) -> None:
    """The lane waits for minutes if need be, the observer hears of it, and reading goes on where it was."""
    broker = await asyncio.to_thread(own_kafka)
    await asyncio.to_thread(create_topic, broker.address, "orders", 1)
    await asyncio.to_thread(fill, broker.address, "orders", series(0, 4000, 1000))
    observer, seen = Memory(), list[bytes | None]()
    async with (
        source_of(broker.address, "orders", observer, buffer_bytes=2**20) as source,
        aclosing(source.read(P0, Place(), ByteBudget(LIMIT))) as reading,
    ):
        async with asyncio.timeout(100 + away_s):
            seen += (await anext(reading)).values
            await asyncio.to_thread(getattr(broker, end))
            waiting = asyncio.create_task(_until(reading, seen, 8000))
            await eventually(lambda: bool(observer.retries), "the broker missed")
            assert not (await asyncio.wait([waiting], timeout=away_s))[0]
            await asyncio.to_thread(broker.start)
            await asyncio.to_thread(fill, broker.address, "orders", series(4000, 4000, 1000))
            await waiting
    assert seen == series(0, 8000, 1000)
    assert {operation for operation, _ in observer.retries} == {"Fetch"}


async def _until(reading: object, seen: list[bytes | None], count: int) -> None:
    while len(seen) < count:
        batch: Batch = await anext(reading)  # type: ignore[call-overload]
        batch.release()
        seen += batch.values


async def test_cut_connections_cost_neither_records_nor_order(tmp_path: Path) -> None:
    """However often: what was fetched comes once, and in order."""
    port = free_port()
    with KafkaProxy(port) as proxy:
        behind = await asyncio.to_thread(KafkaBroker, tmp_path, None, [Listener.proxied(port, proxy.address)])
        with behind as broker:
            await asyncio.to_thread(create_topic, broker.address, "orders", 2)
            sent = series(0, 20_000, 500)
            for partition in (0, 1):
                await asyncio.to_thread(fill, broker.address, "orders", sent, partition=partition)
            async with source_of(proxy.address, "orders", buffer_bytes=2**20) as source:
                readers = [asyncio.create_task(take(source, each, Place(), len(sent))) for each in (P0, P1)]
                while not all(reader.done() for reader in readers):
                    await asyncio.wait(readers, timeout=0.2)
                    await asyncio.to_thread(proxy.cut)
                assert [values(reader.result()) for reader in readers] == [sent, sent]
            assert proxy.cuts > 2


async def test_a_silent_broker_does_not_hold_up_leaving(own_kafka: OwnKafka) -> None:
    """Not even with something left to say in the display group."""
    broker = await asyncio.to_thread(own_kafka)
    await asyncio.to_thread(create_topic, broker.address, "orders", 1)
    await asyncio.to_thread(fill, broker.address, "orders", series(0, 10))
    async with AsyncExitStack() as stack:
        source = await stack.enter_async_context(source_of(broker.address, "orders", display_group="shown", look_s=0.1))
        await take(source, P0, Place(), 10)
        display = source._entered.fetcher._display
        assert display is not None
        await asyncio.to_thread(broker.freeze)
        source.stored({"0": Place("9")})
        await eventually(lambda: display._answer is not None, "an answer of the group waited for")
        async with asyncio.timeout(PROMPT_S):
            await stack.aclose()
    assert [thread.name for thread in running_threads() if "kafka orders" in thread.name] == []


async def test_a_wrong_address_is_named_with_the_cause() -> None:
    """Nobody listens: the error says where, and that the connection was refused."""
    address = f"{HOST}:{free_port()}"
    with pytest.raises(UnreachableError, match=rf"{address}.*[Cc]onnection refused"):
        async with source_of(address, "orders", reach_s=1):
            pass


async def test_a_missing_topic_is_named(kafka: str, topic: TopicFactory) -> None:
    """Nothing is created, and nothing is said of creating it."""
    name = f"{topic()}-missing"
    with pytest.raises(RefusedError, match=rf"{name}.*does not exist") as told:
        async with source_of(kafka, name):
            pass
    assert "create_topic" not in str(told.value)


def test_settings_that_guarantees_rest_on_cannot_be_changed() -> None:
    """Those that bound the memory are among them."""
    with pytest.raises(RefusedError, match=r"auto\.offset\.reset, fetch\.max\.bytes, queued\.max\.messages\.kbytes"):
        source_of(
            "localhost:9092",
            "orders",
            librdkafka={
                "queued.max.messages.kbytes": 5,
                "auto.offset.reset": "latest",
                "fetch.max.bytes": 10,
                "fetch.wait.max.ms": 10,
            },
        )


async def test_what_is_known_of_the_topic_is_told(kafka: str, topic: TopicFactory) -> None:
    """Its address as provenance writes it, its identity, and how large records may be."""
    name = topic(partitions=3, config={"max.message.bytes": "5000"})
    async with source_of(kafka, name) as source:
        assert source.address.startswith("kafka:")
        assert source.address.endswith(f":{name}")
        assert source.identity.endswith(" with 3 partitions")
        assert source.largest_record == 5000
        assert not source.repeats


async def test_a_missing_permission_is_named_and_mended_in_mid_run(own_kafka: OwnKafka) -> None:
    """A lane that may not read any more says so; the group, which is only shown to, takes no permission."""
    broker = await asyncio.to_thread(own_kafka, _WITH_PERMISSIONS)
    await asyncio.to_thread(create_topic, broker.address, "orders", 1)
    await asyncio.to_thread(fill, broker.address, "orders", series(0, 10))
    await asyncio.to_thread(_deny, broker.address, AclBinding(*_GROUP, AclOperation.ALL, AclPermissionType.DENY))
    async with source_of(broker.address, "orders") as source:
        (*_, last) = await take(source, P0, Place(), 10)
        waiting = asyncio.create_task(take(source, P0, last.place, 1))
        rules = _reading_denied("orders")
        await asyncio.to_thread(_deny, broker.address, *rules)
        await asyncio.to_thread(fill, broker.address, "orders", series(10, 1))
        with pytest.raises(RefusedError, match=r"Read and Describe"):
            await waiting
        with pytest.raises(RefusedError, match=r"Read and Describe"):
            await take(source, P0, last.place, 1)
        with pytest.raises(RefusedError, match=r"read topic orders.*Read and Describe"):
            async with source_of(broker.address, "orders"):
                pass
        await asyncio.to_thread(_allow, broker.address)
        assert values(await take(source, P0, last.place, 1)) == series(10, 1)


def _reading_denied(topic: str) -> list[AclBinding]:
    resource = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, "User:ANONYMOUS", "*")
    allowed = (AclOperation.WRITE, AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS)
    return [
        AclBinding(*resource, AclOperation.READ, AclPermissionType.DENY),
        *(AclBinding(*resource, operation, AclPermissionType.ALLOW) for operation in allowed),
    ]


def _deny(address: str, *rules: AclBinding) -> None:
    admin = AdminClient({"bootstrap.servers": address})
    for done in admin.create_acls(list(rules)).values():
        done.result(PATIENCE_S)


def _allow(address: str) -> None:
    # The stub does not know that what is left open matches all.
    every: dict[str, Any] = {"name": None, "principal": None, "host": None}
    rules = AclBindingFilter(
        ResourceType.TOPIC,
        resource_pattern_type=ResourcePatternType.ANY,
        operation=AclOperation.ANY,
        permission_type=AclPermissionType.ANY,
        **every,
    )
    admin = AdminClient({"bootstrap.servers": address})
    for done in admin.delete_acls([rules]).values():
        done.result(PATIENCE_S)
