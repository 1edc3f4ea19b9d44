"""Fixtures for servers, topics and streams, and the rules that hold for every test."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import botocore.session
import pytest
from hypothesis import settings

from tests.support import kinesis_api, topics
from tests.support.blocking import blocking_calls_found
from tests.support.browser import Browser, Tab, browsing
from tests.support.factories import OwnKafka, OwnKinesis, StreamFactory, TopicFactory
from tests.support.ferrokinesis import Ferrokinesis, Flag
from tests.support.kafka import KafkaBroker
from tests.support.kinesis_api import CREDENTIALS, REGION
from tests.support.missing import address_or_skip, give_up, loud_lines
from tests.support.moto import moto_server
from tests.support.provision import MissingServerError
from tests.support.secured_kafka import SecuredKafka
from tests.support.shared import SharedServers

_SERVERS = pytest.StashKey[SharedServers]()
_BROKER_FIXTURES = {"kafka", "own_kafka", "secured_kafka", "topic"}
_KINESIS_FIXTURES = {"kinesis", "own_kinesis", "stream"}


def pytest_configure(config: pytest.Config) -> None:
    # How long an example takes is the machine's affair.
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")
    worker_input: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker_input is None:
        config.stash[_SERVERS] = SharedServers.create()
    else:
        config.stash[_SERVERS] = SharedServers(Path(worker_input["shared_servers"]))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["shared_servers"] = str(node.config.stash[_SERVERS].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.stash[_SERVERS].stop()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & _BROKER_FIXTURES:
            item.add_marker(pytest.mark.broker)
        if fixtures & _KINESIS_FIXTURES:
            item.add_marker(pytest.mark.kinesis)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in loud_lines(terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_line(line, red=True, bold=True)


@pytest.fixture(scope="session", autouse=True)
def _aws_of_nobody() -> Iterator[None]:
    """No test works with the developer's own account, whatever is configured on the machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_DEFAULT_REGION", "AWS_REGION"):
            patch.delenv(name, raising=False)
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        patch.setenv("AWS_DEFAULT_REGION", REGION)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_CONFIG_FILE", "/dev/null")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        yield


@pytest.fixture(scope="session", autouse=True)
def _descriptions_of_aws_are_read_once() -> Iterator[None]:
    """Each session of botocore would read megabytes of them anew, and a process of the tests opens thousands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(autouse=True)
def _event_loop_stays_free() -> Iterator[None]:
    """A test in which product code blocks the event loop fails."""
    with blocking_calls_found() as calls:
        yield
    if calls:
        pytest.fail(f"the event loop was blocked: {', '.join(calls)}", pytrace=False)


@pytest.fixture(scope="session")
def servers(pytestconfig: pytest.Config) -> SharedServers:
    return pytestconfig.stash[_SERVERS]


@pytest.fixture(scope="session")
def kafka(servers: SharedServers) -> str:
    """``host:port`` of a real broker, shared by all tests of the run. Nobody stops it."""
    return address_or_skip(servers.kafka)


@pytest.fixture(scope="session")
def secured_kafka(servers: SharedServers) -> SecuredKafka:
    """A real broker that wants to know who comes, shared by all tests of the run. Nobody stops it."""
    try:
        return servers.secured_kafka()
    except MissingServerError as error:
        give_up(error)


@pytest.fixture(scope="session")
def kinesis(servers: SharedServers) -> str:
    """``http://host:port`` of a real Kinesis server, shared by all tests of the run. Nobody stops it."""
    return address_or_skip(servers.kinesis)


@pytest.fixture(scope="session")
def registry(servers: SharedServers) -> str:
    """URL of a real schema registry that answers as Confluent's does, shared by all tests of the run."""
    return address_or_skip(servers.registry)


@pytest.fixture
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnKafka]:
    """Start brokers of the test's own, to stop, kill, freeze and start again. They end with the test."""
    with ExitStack() as running:

        def start(settings: Mapping[str, str] | None = None) -> KafkaBroker:
            try:
                return running.enter_context(KafkaBroker(tmp_path_factory.mktemp("kafka"), settings))
            except MissingServerError as error:
                give_up(error)

        yield start


@pytest.fixture
def own_kinesis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnKinesis]:
    """Start Kinesis servers of the test's own, with flags: ``own_kinesis(iterator_ttl_seconds=1)``."""
    with ExitStack() as running:

        def start(**flags: Flag) -> Ferrokinesis:
            try:
                return running.enter_context(Ferrokinesis(tmp_path_factory.mktemp("kinesis"), **flags))
            except MissingServerError as error:
                give_up(error)

        yield start


@pytest.fixture
def topic(kafka: str) -> Iterator[TopicFactory]:
    """Create topics of unique names on the shared broker. They are deleted with the test."""
    names: list[str] = []

    def create(partitions: int = 4, config: Mapping[str, str] | None = None) -> str:
        name = _unique("topic")
        topics.create_topic(kafka, name, partitions, config)
        names.append(name)
        return name

    yield create
    for name in names:
        topics.delete_topic(kafka, name)


@pytest.fixture
def stream(kinesis: str) -> Iterator[StreamFactory]:
    """Create streams of unique names on the shared server, ready for use. They are deleted with the test."""
    names: list[str] = []

    def create(shards: int = 4) -> str:
        name = _unique("stream")
        kinesis_api.create_stream(kinesis, name, shards)
        names.append(name)
        return name

    yield create
    for name in names:
        kinesis_api.delete_stream(kinesis, name)


@pytest.fixture
def moto() -> Iterator[str]:
    """URL of a fresh imitation of AWS, for all but Kinesis data."""
    with moto_server() as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real one, shared by all tests of the process."""
    try:
        with browsing() as running:
            yield running
    except MissingServerError as error:
        give_up(error)


@pytest.fixture
async def tab(browser: Browser) -> AsyncIterator[Tab]:
    """An empty page. What it complains of fails the test, unless the test took note of it and cleared it."""
    async with browser.tab() as opened:
        yield opened
        assert opened.complaints == []


def _unique(what: str) -> str:
    return f"{what}-{uuid4().hex[:12]}"
