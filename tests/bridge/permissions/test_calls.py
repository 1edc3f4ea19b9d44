"""What mirrors call of Kinesis and DynamoDB while they work is what their policies allow."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.config.document import Document
from bridge.config.validation import validate
from bridge.jobs.backfill import Backfill
from bridge.jobs.backfill_request import BackfillRequest
from bridge.permissions import Parts, Task
from bridge.permissions.tasks import needed
from bridge.permissions.templates import PAIRS
from checkpoints.dynamodb.client import DynamoClient
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.kinesis_api import REGION
from tests.support.kinesis_proxy import KinesisProxy
from tests.support.kinesis_writer import write_records
from tests.support.records import generate
from tests.support.topic_writer import messages, write_topic

pytestmark = [pytest.mark.broker, pytest.mark.kinesis]

COUNT = 300


async def test_writing_a_stream_calls_what_its_policy_allows_and_all_of_that(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory
) -> None:
    """Reading is part of it: whoever begins finds out what an earlier one may have left there."""
    source, sink = topic(2), stream(2)
    await asyncio.to_thread(write_topic, kafka, source, messages(generate(COUNT, 20, seed=2)))
    with KinesisProxy(kinesis) as proxy:
        await _copied(_mirror(sink, _topic(kafka, source), _stream(proxy, sink)))
        assert _called(proxy) == _allowed(PAIRS["kafka-to-kinesis"])


async def test_each_end_of_a_mirror_between_streams_is_called_what_is_allowed_on_it(
    kinesis: str, stream: StreamFactory, tmp_path: Path
) -> None:
    """The source is never written to."""
    source, sink = stream(1), stream(1)
    await write_records(kinesis, source, generate(COUNT, 20, seed=3))
    with KinesisProxy(kinesis) as reading, KinesisProxy(kinesis) as writing:
        places = {"checkpoints": {"sqlite": {"path": str(tmp_path / "places.db")}}}
        await _copied(_mirror(sink, _stream(reading, source), _stream(writing, sink), places))
        parts = PAIRS["kinesis-to-kinesis"]
        assert _called(reading) == _allowed(parts, parts.source.arn)
        assert _called(writing) <= _allowed(parts, parts.sink.arn)


async def test_reading_a_stream_and_keeping_checkpoints_in_a_table_call_what_is_allowed_and_all_of_that(
    kinesis: str, kafka: str, moto: str, stream: StreamFactory, topic: TopicFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is missing, and is made."""
    source, sink = stream(1), topic(1)
    await write_records(kinesis, source, generate(COUNT, 20, seed=4))
    called: set[str] = set()
    call = DynamoClient.call

    async def noted(self: DynamoClient, action: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
        writes: Any = parameters.get("TransactItems", [{action: None}])
        called.update(f"dynamodb:{_WRITES.get(kind, kind)}" for each in writes for kind in each)
        return await call(self, action, parameters)

    monkeypatch.setattr(DynamoClient, "call", noted)
    with KinesisProxy(kinesis) as proxy:
        table = {"dynamodb": {"table": f"places-{sink}", "region": REGION, "endpoint_url": moto}}
        await _copied(_mirror(sink, _stream(proxy, source), _topic(kafka, sink), {"checkpoints": table}))
        parts = PAIRS["kinesis-to-kafka-checkpoints-in-dynamodb"]
        assert _called(proxy) == _allowed(parts)
        assert called == {action for action in needed(parts, [Task.RUN]).actions if action.startswith("dynamodb:")}


_WRITES = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}


async def _copied(asked: Mapping[str, Any]) -> None:
    report = await Backfill(validate(Document(dict(asked))), BackfillRequest()).run()
    assert report.is_complete


def _mirror(name: str, source: Any, sink: Any, more: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    return {"name": name, "source": source, "sink": sink, "http": {"listen": None}, **(more or {})}


def _stream(proxy: KinesisProxy, name: str) -> Mapping[str, Any]:
    return {"kinesis": {"stream": name, "region": REGION, "endpoint_url": proxy.address}}


def _topic(address: str, name: str) -> Mapping[str, Any]:
    return {"kafka": {"bootstrap_servers": [address], "topic": name}}


def _called(proxy: KinesisProxy) -> set[str]:
    return {f"kinesis:{call.operation}" for call in proxy.calls}


def _allowed(parts: Parts, arn: str | None = None) -> set[str]:
    statements = needed(parts, [Task.RUN]).statements
    return {
        action
        for statement in statements
        if arn is None or arn in statement.resources
        for action in statement.actions
        if action.startswith("kinesis:")
    }
