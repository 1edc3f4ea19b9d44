"""``kmbridge plan`` at real servers: what it finds out of a stream and a topic, and that it leaves no trace."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from confluent_kafka.admin import AdminClient

from bridge.config.document import Document
from bridge.config.validation import validate
from bridge.permissions import Task, policy_for
from bridge.planning import measured
from bridge.planning.measuring.figures import Sink
from connectors.base import Clock
from tests.end_to_end.conftest import HarmedKafka
from tests.support.command import run_command
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.kinesis_api import register_consumer
from tests.support.kinesis_proxy import KinesisProxy
from tests.support.kinesis_writer import write_records
from tests.support.records import generate
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.topics import create_topic

COUNT, SIZE = 600, 500
HOUR_MS = 3_600_000


@pytest.fixture
def counted(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """CloudWatch, with a way to say what it has counted of a stream."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", moto)
    client = boto3.client("cloudwatch", endpoint_url=moto)

    def count(stream: str, metric: str, value: float, ago: timedelta) -> None:
        dimensions = [{"Name": "StreamName", "Value": stream}]
        at = datetime.now(UTC) - ago
        told = {"MetricName": metric, "Dimensions": dimensions, "Timestamp": at, "Value": value}
        client.put_metric_data(Namespace="AWS/Kinesis", MetricData=[told])

    yield count
    client.close()


async def test_a_stream_s_load_is_what_cloudwatch_has_counted(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, counted: Any, tmp_path: Path
) -> None:
    """By the command: mean, peak and readers of what was counted, shards and retention of what is there."""
    name = stream(3)

    def count() -> None:
        for hours, records in ((2, 600_000), (1, 1_800_000)):
            counted(name, "IncomingRecords", records, timedelta(hours=hours))
            counted(name, "IncomingBytes", records * 1_000, timedelta(hours=hours))
            counted(name, "GetRecords.Bytes", records * 2_000, timedelta(hours=hours))

    await asyncio.to_thread(count)
    config = tmp_path / "orders.yaml"
    told = {"name": "orders", "source": StreamEnd(kinesis, name).section, "sink": TopicEnd(kafka, topic(2)).section}
    config.write_text(json.dumps(told))
    finished = await run_command("plan", config, "--json")
    assert finished.code == 0, finished.err
    document = json.loads(finished.out)
    load = document["load"]
    assert load["told_by"] == "CloudWatch, the last 7 days"
    # Of two hours, but for the ten minutes that are not over yet.
    assert 330 < load["records_per_second"] < 365
    assert load["record_bytes"] == 1_000
    assert 8 < load["peak_factor"] < 10
    assert load["readers"] == 2
    assert load["retention_hours"] == 24
    assert [side["partitions_now"] for side in document["sides"]] == [3, 2]
    assert document["retention"]["sink_now_hours"] == 168
    resources = document["policies"]["run"]["Statement"][0]["Resource"]
    assert resources[0].endswith(f":stream/{name}")


async def test_where_cloudwatch_does_not_tell_the_records_themselves_do(
    kinesis: str, kafka: str, stream: StreamFactory
) -> None:
    """Those of the last minutes; the answer says why. The stream is called what the policy allows."""
    name = stream(2)
    await write_records(kinesis, name, generate(COUNT, 20, seed=1, size=SIZE))
    with KinesisProxy(kinesis) as proxy:
        ends = {"source": StreamEnd(proxy.address, name).section, "sink": TopicEnd(kafka, "orders").section}
        asked = validate(Document({"name": "orders", **ends}))
        found = await measured(asked, Clock())
    assert found.records_per_second == pytest.approx(COUNT / 300)
    assert found.record_bytes is not None
    assert SIZE <= found.record_bytes < SIZE + 100
    assert found.peak_factor is None
    assert found.partitions == 2
    assert "CloudWatch does not tell" in found.told_by
    assert found.sink == Sink(unseen="there is no such topic yet")
    allowed = policy_for(asked, [Task.PLAN]).actions
    called = {f"kinesis:{call.operation}" for call in proxy.calls}
    assert called == {action for action in allowed if action.startswith("kinesis:")}


async def test_the_mirror_s_own_consumer_is_none_of_the_stream_s_readers(
    kinesis: str, kafka: str, stream: StreamFactory
) -> None:
    """It is paid once, as the mirror's; a consumer of somebody else is a reader."""
    name = stream(1)
    for consumer in ("kmbridge-orders", "billing"):
        await asyncio.to_thread(register_consumer, kinesis, name, consumer)
    section = {"kinesis": {**StreamEnd(kinesis, name).section["kinesis"], "read": "fan_out"}}
    asked = validate(Document({"name": "orders", "source": section, "sink": TopicEnd(kafka, "orders").section}))
    assert (await measured(asked, Clock())).fan_out_readers == 1


async def test_a_topic_s_load_is_what_its_offsets_tell(
    harmed_kafka: HarmedKafka, kinesis: str, stream: StreamFactory
) -> None:
    """Of a day, by the hour; and nobody has joined a group for it."""
    # At the shared broker other tests join groups meanwhile.
    kafka, name = harmed_kafka.broker.address, f"topic-{uuid4().hex[:12]}"
    await asyncio.to_thread(create_topic, kafka, name, 3)
    before, now_ms = await asyncio.to_thread(group_names, kafka), Clock().now_ms()
    written = [
        TopicMessage(b"%d" % number, bytes(SIZE), timestamp_ms=now_ms - ago_ms)
        for ago_ms in (int(3.5 * HOUR_MS), HOUR_MS // 2, 10_000)
        for number in range(COUNT)
    ]
    await asyncio.to_thread(write_topic, kafka, name, written)
    told = {"name": "orders", "source": TopicEnd(kafka, name).section, "sink": StreamEnd(kinesis, stream(2)).section}
    found = await measured(validate(Document(told)), Clock())
    # Of the fourth hour half is told of: what was before the oldest record nobody knows.
    assert found.records_per_second == pytest.approx(3 * COUNT / (3.5 * 3600), rel=0.01)
    assert found.peak_factor == pytest.approx(2 * COUNT / (3 * COUNT / 3.5), rel=0.01)
    assert found.record_bytes == pytest.approx(SIZE + 3, abs=1)
    assert found.stored_bytes == pytest.approx(3 * COUNT * (SIZE + 3), rel=0.01)
    assert found.partitions == 3
    assert found.sink == Sink(2, 24)
    assert await asyncio.to_thread(group_names, kafka) <= before


def group_names(kafka: str) -> set[str]:
    # Held by a name: a client that is let go of before its answer is there may take the answer with it.
    admin = AdminClient({"bootstrap.servers": kafka, "log_level": 0})
    found = admin.list_consumer_groups().result(10)
    return {each.group_id for each in found.valid}
