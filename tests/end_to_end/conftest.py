"""What the whole paths share: a seed, a broker that may be harmed, mirrors with a folder each."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from tests.support import kinesis_api, topics
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.factories import Figure, StreamFactory, TopicFactory
from tests.support.kafka import KafkaBroker, Listener
from tests.support.kafka_proxy import KafkaProxy
from tests.support.kinesis_proxy import KinesisProxy
from tests.support.missing import give_up
from tests.support.ports import free_port
from tests.support.provision import MissingServerError
from tests.support.route import Route, RouteFactory
from tests.support.way import IntoKinesis, IntoKinesisFactory, Way

_FIGURE = "figure"
SEED_VARIABLE = "KMBRIDGE_TEST_SEED"


@dataclass(frozen=True, slots=True)
class HarmedKafka:
    """A broker to stop, kill and freeze, and a proxy before it that loses what it should pass on."""

    broker: KafkaBroker
    proxy: KafkaProxy


@pytest.fixture
def seed() -> int:
    """Decides records and moments; the same ones unless the environment names another."""
    seed = int(os.environ.get(SEED_VARIABLE, "1"))
    sys.stdout.write(f"{SEED_VARIABLE}={seed}\n")
    return seed


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Figure:
    def note(name: str, value: object) -> None:
        request.node.user_properties.append((_FIGURE, f"{name}: {value}"))

    return note


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        if report.when == "call":
            for kind, text in report.user_properties:
                if kind == _FIGURE:
                    terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {text}")


@pytest.fixture
def draw(seed: int) -> Random:
    return Random(seed)


@pytest.fixture(scope="session")
def _harmed_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HarmedKafka]:
    port = free_port()
    try:
        with (
            KafkaProxy(port) as proxy,
            KafkaBroker(tmp_path_factory.mktemp("kafka"), listeners=[Listener.proxied(port, proxy.address)]) as broker,
        ):
            yield HarmedKafka(broker, proxy)
    except MissingServerError as error:
        give_up(error)


@pytest.fixture
def harmed_kafka(_harmed_kafka: HarmedKafka) -> Iterator[HarmedKafka]:
    """One for all tests of this process, since a broker takes its time to start. It runs again after each."""
    yield _harmed_kafka
    _harmed_kafka.proxy.spare()
    _harmed_kafka.broker.revive()


@pytest.fixture
def proxy(kinesis: str) -> Iterator[KinesisProxy]:
    """One of the test's own before the shared server."""
    with KinesisProxy(kinesis) as running:
        yield running


@pytest.fixture
def route(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path) -> RouteFactory:
    """Make a stream and a topic on the shared servers, for a mirror between them."""

    def make(shards: int = 4, partitions: int = 4, config: Mapping[str, str] | None = None) -> Route:
        name = topic(partitions, config)
        return Route(tmp_path / name, StreamEnd(kinesis, stream(shards)), TopicEnd(kafka, name))

    return make


@pytest.fixture
def harmed_route(kinesis: str, stream: StreamFactory, harmed_kafka: HarmedKafka, tmp_path: Path) -> RouteFactory:
    """As ``route``, into the broker that may be harmed, past its proxy."""

    def make(shards: int = 4, partitions: int = 4, config: Mapping[str, str] | None = None) -> Route:
        name = f"topic-{uuid4().hex[:12]}"
        topics.create_topic(harmed_kafka.broker.address, name, partitions, config)
        sink = TopicEnd(harmed_kafka.broker.address, name)
        return Route(tmp_path / name, StreamEnd(kinesis, stream(shards)), sink)

    return make


@pytest.fixture
def into_kinesis(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path
) -> IntoKinesisFactory:
    """Make a topic on the shared broker and a stream, on the shared server or on another, for a mirror between them."""

    def make(
        shards: int = 2, partitions: int = 4, config: Mapping[str, str] | None = None, server: str | None = None
    ) -> IntoKinesis:
        source = TopicEnd(kafka, topic(partitions, config))
        sink = StreamEnd(kinesis, stream(shards)) if server is None else StreamEnd(server, source.name)
        if server is not None:
            kinesis_api.create_stream(server, sink.name, shards)
        return Way(tmp_path / source.name, source, sink)

    return make
