"""A mirror that may do what its policy allows, and nothing else, does all of its work, and needs all of that.

Kafka enforces the policy, as ACLs, and writes down what it decides; the calls of Kinesis and DynamoDB are recorded.
All are compared with the policy that ``kmbridge plan`` names for the mirror.
"""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bridge.config.document import Document
from bridge.config.validation import validate
from bridge.jobs.backfill import Backfill
from bridge.jobs.backfill_request import BackfillRequest
from bridge.jobs.fan_out import removed
from bridge.keeping.stores import checkpoint_reader
from bridge.parity.verification import verify
from bridge.permissions import Policy, Surroundings, Task, policy_for
from bridge.permissions.places import REGION as PLACEHOLDER
from bridge.planning import Aims, Figures, measured, planned
from bridge.planning.draft import region_of
from bridge.planning.prices.table import packaged
from checkpoints.dynamodb.client import DynamoClient
from connectors.base import Clock
from tests.bridge.permissions.acls import Acls
from tests.bridge.permissions.decisions import Decisions
from tests.support import topics
from tests.support.factories import StreamFactory
from tests.support.file_lock import locked
from tests.support.kinesis_api import REGION
from tests.support.kinesis_proxy import KinesisProxy
from tests.support.kinesis_writer import write_records
from tests.support.records import generate
from tests.support.secured_kafka import SecuredKafka
from tests.support.shared import SharedServers
from tests.support.topic_writer import messages, write_topic

pytestmark = [pytest.mark.broker, pytest.mark.kinesis]

COUNT = 100
USER = "stranger"
NOT_SEEN = {
    "kafka-cluster:Connect": "a broker with ACLs has no right for it",
    "kms:Decrypt": "asked by Kinesis in our name, of a key that streams here do not have",
    "kms:GenerateDataKey": "likewise",
}
"""What policies allow beside what a broker and a Kinesis server can be seen to be asked for, with the reason."""
_SEEN = ("kafka-cluster:", "kinesis:", "dynamodb:")
_WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}

Section = Mapping[str, Any]

FIGURES, PRICES = Figures(100, 100, 1, 1), packaged()


class Guarded:
    """Topics of a broker where ``USER`` may do what a policy allows."""

    def __init__(self, kafka: SecuredKafka, acls: Acls) -> None:
        self._kafka = kafka
        self._acls = acls
        self.decisions = Decisions(kafka.decisions, USER)
        self.name = f"rights-{uuid4().hex[:8]}"

    def topic(self, name: str) -> Section:
        """A new topic, as an end that is entered as ``USER``."""
        topic = f"{self.name}-{name}"
        topics.create_topic(self._kafka.plain, topic, 2)
        servers = [self._kafka.scram]
        return {"kafka": {"bootstrap_servers": servers, "topic": topic, "auth": self._kafka.scram_auth(USER)}}

    def fill(self, end: Section) -> None:
        write_topic(self._kafka.plain, end["kafka"]["topic"], messages(generate(COUNT, 10, seed=1)))

    async def copied(self, source: Section, sink: Section, checkpoints: Section | None = None) -> Policy:
        """The policy with which all is copied from ``source`` to ``sink``; the broker was asked for all of it."""
        asked = {"name": self.name, "source": source, "sink": sink, "http": {"listen": None}}
        if checkpoints is not None:
            asked["checkpoints"] = checkpoints
        policy = await self.allow(asked, Task.RUN)
        report = await Backfill(validate(Document(asked)), BackfillRequest()).run()
        assert report.is_complete
        uncalled, denied = await asyncio.to_thread(self.decisions.compared, policy)
        assert (uncalled, denied) == (set(), set())
        assert {action for action in policy.actions if not action.startswith(_SEEN)} <= NOT_SEEN.keys()
        return policy

    async def allow(self, asked: Section, task: Task) -> Policy:
        """The policy for ``task`` of the mirror, made as for one that comes by IAM, and in force at the broker."""
        ends = {"source": _by_iam(asked["source"]), "sink": _by_iam(asked["sink"])}
        configuration = validate(Document({**asked, **ends}))
        policy = policy_for(configuration, [task], Surroundings(region_of(configuration, FIGURES) or PLACEHOLDER))
        assert planned(configuration, FIGURES, PRICES, Aims()).policies.get(task, policy) == policy
        await asyncio.to_thread(self._acls.replace, policy)
        return policy


@pytest.fixture
def guarded(secured_kafka: SecuredKafka, servers: SharedServers) -> Iterator[Guarded]:
    """One at a time in all of the run: the user's rights are those of the test that has it."""
    with locked(servers.folder / "rights.lock"):
        acls = Acls(secured_kafka.plain, USER)
        yield Guarded(secured_kafka, acls)
        acls.clear()


@pytest.fixture
def proxy(kinesis: str) -> Iterator[KinesisProxy]:
    with KinesisProxy(kinesis) as proxy:
        yield proxy


async def test_from_a_stream_into_transactions(
    guarded: Guarded, kinesis: str, proxy: KinesisProxy, stream: StreamFactory
) -> None:
    """The stream is called what is allowed, and all of that; the checkpoint topic is missing, and is made."""
    source = stream(2)
    await write_records(kinesis, source, generate(COUNT, 20, seed=1))
    sink = await asyncio.to_thread(guarded.topic, "sink")
    policy = await guarded.copied(_stream(proxy, source), sink, _places(guarded))
    assert _called(proxy) == _allowed(policy, "kinesis")


async def test_from_a_stream_that_is_subscribed_to(
    guarded: Guarded, kinesis: str, proxy: KinesisProxy, stream: StreamFactory
) -> None:
    """The consumer is registered, used, and removed in the end: each call is allowed, and each right is used."""
    name = stream(1)
    await write_records(kinesis, name, generate(COUNT, 20, seed=4))
    subscribed = {"kinesis": {**_stream(proxy, name)["kinesis"], "read": "fan_out"}}
    sink = await asyncio.to_thread(guarded.topic, "sink")
    policy = await guarded.copied(subscribed, sink, _places(guarded))
    assert _called(proxy) == _allowed(policy, "kinesis")
    proxy.calls.clear()
    asked = {"name": guarded.name, "source": subscribed, "sink": sink, "checkpoints": _places(guarded)}
    policy = await guarded.allow(asked, Task.REMOVE_CONSUMER)
    assert await removed(validate(Document(asked)))
    assert _called(proxy) == _allowed(policy, "kinesis")


async def test_from_a_stream_with_checkpoints_in_a_table(
    guarded: Guarded,
    kinesis: str,
    proxy: KinesisProxy,
    moto: str,
    stream: StreamFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The table is missing, and is made. No transaction is needed at the broker."""
    source = stream(1)
    await write_records(kinesis, source, generate(COUNT, 20, seed=2))
    called: set[str] = set()
    call = DynamoClient.call

    async def noted(self: DynamoClient, action: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
        writes: Any = parameters.get("TransactItems", [{action: None}])
        called.update(f"dynamodb:{_WRITES.get(kind, kind)}" for each in writes for kind in each)
        return await call(self, action, parameters)

    monkeypatch.setattr(DynamoClient, "call", noted)
    table = {"dynamodb": {"table": guarded.name, "region": REGION, "endpoint_url": moto}}
    sink = await asyncio.to_thread(guarded.topic, "sink")
    policy = await guarded.copied(_stream(proxy, source), sink, table)
    assert called == _allowed(policy, "dynamodb")
    assert "kafka-cluster:AlterTransactionalId" not in policy.actions


async def test_from_a_topic_into_a_stream(guarded: Guarded, proxy: KinesisProxy, stream: StreamFactory) -> None:
    """Reading the stream is part of it: whoever begins finds out what an earlier one may have left there."""
    source = await asyncio.to_thread(guarded.topic, "source")
    await asyncio.to_thread(guarded.fill, source)
    policy = await guarded.copied(source, _stream(proxy, stream(1)))
    assert _called(proxy) == _allowed(policy, "kinesis")


async def test_from_a_topic_to_a_topic_and_who_looks_at_it_changes_nothing(guarded: Guarded) -> None:
    """In one cluster: the group that shows the offsets is allowed beside that of the workers.

    Verification, a look at the checkpoints as ``translate`` takes it, and the measurement of ``plan`` need no right to
    write.
    """
    source = await asyncio.to_thread(guarded.topic, "source")
    sink = await asyncio.to_thread(guarded.topic, "sink")
    await asyncio.to_thread(guarded.fill, source)
    await guarded.copied(source, sink, _places(guarded))
    asked = {"name": guarded.name, "source": source, "sink": sink, "checkpoints": _places(guarded)}
    configuration = validate(Document(asked))
    policy = await guarded.allow(asked, Task.VERIFY)
    assert (await verify(configuration)).equal
    assert "kafka-cluster:WriteData" not in policy.actions
    policy = await guarded.allow(asked, Task.TRANSLATE)
    assert await checkpoint_reader(configuration).load()
    assert "kafka-cluster:WriteData" not in policy.actions
    policy = await guarded.allow(asked, Task.PLAN)
    assert (await measured(configuration, Clock())).stored_bytes
    assert "kafka-cluster:WriteData" not in policy.actions


async def test_from_a_stream_to_a_stream(
    guarded: Guarded, kinesis: str, proxy: KinesisProxy, stream: StreamFactory, tmp_path: Path
) -> None:
    """Each end is called what is allowed on it; the source is never written to."""
    source, sink = stream(1), stream(1)
    await write_records(kinesis, source, generate(COUNT, 20, seed=3))
    places = {"sqlite": {"path": str(tmp_path / "places.db")}}
    with KinesisProxy(kinesis) as writing:
        policy = await guarded.copied(_stream(proxy, source), _stream(writing, sink), places)
        assert _called(proxy) == _allowed(policy, "kinesis", source)
        assert _called(writing) <= _allowed(policy, "kinesis", sink)


def _stream(proxy: KinesisProxy, name: str) -> Section:
    return {"kinesis": {"stream": name, "region": REGION, "endpoint_url": proxy.address}}


def _places(guarded: Guarded) -> Section:
    return {"kafka": {"topic": f"{guarded.name}-places", "slots": 2}}


def _by_iam(end: Section) -> Section:
    return {"kafka": {**end["kafka"], "auth": {"iam": {}}}} if "kafka" in end else end


def _called(proxy: KinesisProxy) -> set[str]:
    return {f"kinesis:{call.operation}" for call in proxy.calls}


def _allowed(policy: Policy, service: str, name: str = "") -> set[str]:
    """What ``policy`` allows of ``service``, on what is called ``name``."""
    return {
        action
        for statement in policy.statements
        if any(resource.endswith(name) for resource in statement.resources)
        for action in statement.actions
        if action.startswith(f"{service}:")
    }
