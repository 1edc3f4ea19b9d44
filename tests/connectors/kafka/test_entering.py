"""What a Kafka sink checks before the first record, and how it says what it found."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest
from confluent_kafka import Producer

from connectors.base import RefusedError, UnreachableError
from connectors.kafka.settings import KafkaSinkSettings
from connectors.kafka.topic import CreateTopic
from tests.connectors.kafka.sending import alter_topic, batch_of, numbered, sink_to
from tests.support.factories import TopicFactory
from tests.support.kafka_reader import read_topic
from tests.support.ports import HOST, free_port


async def test_a_wrong_address_is_named_with_the_cause() -> None:
    """Nobody listens: the error says where, and that the connection was refused."""
    address = f"{HOST}:{free_port()}"
    with pytest.raises(UnreachableError, match=f"{address}.*[Cc]onnection refused"):
        async with sink_to(address, "orders", reach_s=1):
            pass


async def test_a_wrong_host_is_named_with_the_cause() -> None:
    """The name does not resolve: the error says which."""
    with pytest.raises(UnreachableError, match=r"no-such-host\.invalid:9092.*[Ff]ailed to resolve"):
        async with sink_to("no-such-host.invalid:9092", "orders", reach_s=1):
            pass


class _NoKafka(BaseRequestHandler):
    def handle(self) -> None:
        self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture
def no_kafka() -> Iterator[str]:
    """The address of a server of another protocol. Each connection ends with its thread, and that with the server."""
    with ThreadingTCPServer((HOST, 0), _NoKafka) as server:
        serving = Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield f"{HOST}:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()


async def test_an_endpoint_that_is_no_kafka_is_told_apart(no_kafka: str) -> None:
    """What the client makes of the foreign bytes would send people after the wrong setting."""
    with pytest.raises(UnreachableError, match=rf"{no_kafka}: the endpoint does not speak Kafka") as told:
        async with sink_to(no_kafka, "orders", reach_s=1):
            pass
    assert "receive.message.max.bytes" not in str(told.value)
    assert "security.protocol" in told.value.hint


async def test_a_missing_topic_is_refused_with_the_way_out(kafka: str, topic: TopicFactory) -> None:
    """The error names the topic and create_topic."""
    name = f"{topic()}-missing"
    with pytest.raises(RefusedError, match=f"{name}.*does not exist.*create_topic"):
        async with sink_to(kafka, name):
            pass


async def test_a_missing_topic_is_created_as_told(kafka: str, topic: TopicFactory) -> None:
    """With create_topic the topic is made, with its partitions and settings; the sink knows its id and address."""
    name = f"{topic()}-new"
    create = CreateTopic(5, 1, {"max.message.bytes": "5000"})
    async with sink_to(kafka, name, create_topic=create) as sink:
        (rejected,) = sink.inspect(numbered(0, 1, size=6000))
        assert rejected.reason == "too_large"
        await (await sink.begin()).submit("lane", numbered(0, 500))
        identity = sink.identity
        assert sink.address.startswith("kafka:")
        assert sink.address.endswith(f":{name}")
    assert {each.partition for each in await read_topic(kafka, name)} == set(range(5))
    async with sink_to(kafka, name, create_topic=CreateTopic(7, 1)) as again:
        assert again.identity == identity != ""


async def test_two_may_create_the_same_topic_at_once(kafka: str, topic: TopicFactory) -> None:
    """Whoever comes second finds it there, and both write to it."""
    name = f"{topic()}-race"
    sinks = [sink_to(kafka, name, create_topic=CreateTopic(2, 1)) for _ in range(4)]
    await asyncio.gather(*(sink.__aenter__() for sink in sinks))
    try:
        assert len({sink.identity for sink in sinks}) == 1
    finally:
        await asyncio.gather(*(sink.__aexit__(None, None, None) for sink in sinks))


async def test_a_topic_that_cannot_be_created_says_why(kafka: str, topic: TopicFactory) -> None:
    """The broker's own words reach the user, with the key to change."""
    name = f"{topic()}-wide"
    with pytest.raises(RefusedError, match=r"[Rr]eplication factor.*create_topic"):
        async with sink_to(kafka, name, create_topic=CreateTopic(1, 5)):
            pass


def test_settings_that_guarantees_rest_on_cannot_be_changed() -> None:
    """The error names every such key, and an ordinary one passes."""
    with pytest.raises(RefusedError, match=r"acks, message\.timeout\.ms"):
        sink_to("localhost:9092", "orders", librdkafka={"message.timeout.ms": 5, "acks": 1, "linger.ms": 50})


async def test_a_setting_that_librdkafka_does_not_know_is_refused(kafka: str, topic: TopicFactory) -> None:
    """The error names the property."""
    with pytest.raises(RefusedError, match=r"no\.such\.property"):
        async with sink_to(kafka, topic(), librdkafka={"no.such.property": 1}):
            pass


async def test_the_setting_that_large_records_need_is_told(kafka: str, topic: TopicFactory) -> None:
    """With the value, which then is enough for the record and its origin."""
    name = topic()
    async with sink_to(kafka, name) as sink:
        assert sink.too_small_for(1_000_000) == ""
        told = sink.too_small_for(10_485_760)
    assert f"topic {name} has max.message.bytes=1048588" in told
    needed = told.rpartition("needs ")[2]
    assert 10_485_760 < int(needed) < 10_485_760 + 2048
    await asyncio.to_thread(alter_topic, kafka, name, {"max.message.bytes": needed})
    batch = replace(batch_of([(b"k" * 1024, b"v" * (10_485_760 - 1024))]), origins=[b"o" * 600])
    async with sink_to(kafka, name, compression="none") as sink:
        assert sink.too_small_for(10_485_760) == ""
        assert (await (await sink.begin()).submit("lane", batch)).rejected == ()


async def test_an_embedded_cluster_that_answers_no_admin_call_is_enough() -> None:
    """Librdkafka's mock cluster tells neither the topic's id nor its settings, and makes it when asked to."""
    cluster = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "unused", "log_level": 0})
    broker = next(iter((await asyncio.to_thread(cluster.list_topics, timeout=5)).brokers.values()))
    address = f"{broker.host}:{broker.port}"
    async with sink_to(address, "orders", create_topic=CreateTopic(4, 1)) as sink:
        assert sink.identity == ""
        outcome = await (await sink.begin()).submit("lane", numbered(0, 100))
    assert outcome.rejected == ()


def test_secrets_stay_out_of_a_repr() -> None:
    """A password among the librdkafka settings is not shown."""
    settings = KafkaSinkSettings("localhost:9092", "orders", librdkafka={"sasl.password": "hunter2"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in repr(settings.connection())
