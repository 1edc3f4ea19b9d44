"""A backfill of old records into a topic that would not keep them."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from tests.connectors.kafka.sending import alter_topic
from tests.support.command import run_command
from tests.support.ends import TopicEnd
from tests.support.factories import TopicFactory
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.way import Way

pytestmark = pytest.mark.broker

COUNT = 200
HOUR_MS = 3_600_000


@pytest.mark.parametrize("setting", ["retention.ms", "message.timestamp.before.max.ms"])
async def test_it_is_refused_before_the_first_record_and_passes_with_the_time_of_copying(
    kafka: str, topic: TopicFactory, tmp_path: Path, setting: str
) -> None:
    """The refusal names the setting and the value; with ``--timestamps now`` all come, with young times, once."""
    source = TopicEnd(kafka, topic(2, {"retention.ms": "-1"}))
    sink = TopicEnd(kafka, topic(2, {setting: str(HOUR_MS)}))
    now_ms = time.time_ns() // 1_000_000
    sent = [TopicMessage(b"%d" % (each % 9), b"%d" % each, (), now_ms - 5 * HOUR_MS) for each in range(COUNT)]
    await asyncio.to_thread(write_topic, kafka, source.name, sent)
    config = Way(tmp_path, source, sink).mirror({"name": sink.name, "checkpoints": None}).config

    refused = await run_command("backfill", config)
    assert refused.code == 2
    assert f"topic {sink.name} has {setting}={HOUR_MS}" in refused.err
    assert f"set {setting} to at least {8 * HOUR_MS} on topic {sink.name}; or --timestamps now" in refused.err
    assert await sink.records() == []

    done = await run_command("backfill", config, "--timestamps", "now", "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["records"] == COUNT
    records = await sink.records()
    assert sorted(int(each.value or b"") for each in records) == list(range(COUNT))
    assert min(each.timestamp_ms for each in records) >= now_ms
    assert _last_progress(done.err)["share"] == 1


async def test_the_value_that_the_refusal_names_is_enough(kafka: str, topic: TopicFactory, tmp_path: Path) -> None:
    """The records then keep their own times."""
    source, sink = TopicEnd(kafka, topic(1, {"retention.ms": "-1"})), TopicEnd(kafka, topic(1))
    time_ms = time.time_ns() // 1_000_000 - 400 * 24 * HOUR_MS
    await asyncio.to_thread(write_topic, kafka, source.name, [TopicMessage(b"k", b"v", (), time_ms)])
    config = Way(tmp_path, source, sink).mirror({"name": sink.name, "checkpoints": None}).config
    refused = await run_command("backfill", config)
    assert refused.code == 2
    needed = refused.err.partition("retention.ms to at least ")[2].partition(" ")[0]
    await asyncio.to_thread(alter_topic, kafka, sink.name, {"retention.ms": needed})
    done = await run_command("backfill", config)
    assert done.code == 0, done.err
    assert [each.timestamp_ms for each in await sink.records()] == [time_ms]


def _last_progress(log: str) -> dict[str, object]:
    events: list[dict[str, object]] = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    return [event for event in events if event["event"] == "progress"][-1]
