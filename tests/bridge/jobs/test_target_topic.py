"""Old records into a topic that keeps only young ones."""

import asyncio
import time
from collections.abc import Mapping
from functools import partial

import pytest
from confluent_kafka import IsolationLevel
from structlog.testing import capture_logs

from bridge.engine.bounded import BoundedSource
from bridge.engine.mirror import Ends
from bridge.engine.policy import Policy
from bridge.jobs.restamped import RestampedSink
from bridge.jobs.target import check_target
from connectors.base import Clock, Place, SettingsError, Sink
from connectors.kafka.connection import Connection
from connectors.kafka.fetching.offsets import OffsetDesk
from tests.connectors.kafka.reading import P0, P1, source_of, take
from tests.connectors.kafka.sending import alter_topic, sink_to
from tests.contracts.sink import deliver
from tests.support.factories import OwnKafka, TopicFactory
from tests.support.kafka_reader import read_topic
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.topics import create_topic
from tests.support.waiting import wait_until

_HOUR_MS = 3_600_000
_COUNT = 100


def _write_old(address: str, topic: str, age_ms: int) -> None:
    time_ms = time.time_ns() // 1_000_000 - age_ms
    write_topic(address, topic, [TopicMessage(b"key", b"%d" % number, (), time_ms, 0) for number in range(_COUNT)])


async def _check(address: str, source: str, sink: Sink) -> list[Mapping[str, object]]:
    """The warnings."""
    with capture_logs() as logs:
        async with source_of(address, source) as reading:
            bounded = BoundedSource(reading)
            bounded.bounds |= await reading.ends([P0, P1], None)
            starts = await reading.start([P0, P1])
            await check_target(Ends(bounded, sink), {P0: starts["0"], P1: starts["1"]}, Policy(), Clock())
    return [each for each in logs if each["log_level"] == "warning"]


@pytest.mark.parametrize("setting", ["retention.ms", "message.timestamp.before.max.ms"])
async def test_a_topic_that_would_not_keep_the_records_is_refused_until_it_does(
    kafka: str, topic: TopicFactory, setting: str
) -> None:
    """The value that the refusal names is enough, and one that leaves them less than an hour is warned of."""
    source, sink = topic(2, {"retention.ms": "-1"}), topic(1, {setting: str(_HOUR_MS)})
    await asyncio.to_thread(_write_old, kafka, source, 30 * _HOUR_MS)
    async with sink_to(kafka, sink) as target:
        with pytest.raises(SettingsError, match=rf"topic {sink} has {setting}={_HOUR_MS}.*--timestamps now") as told:
            await _check(kafka, source, target)
        assert await _check(kafka, source, RestampedSink(target, Clock())) == []
    needed = told.value.hint.partition("at least ")[2].partition(" ")[0]
    await asyncio.to_thread(alter_topic, kafka, sink, {setting: needed})
    async with sink_to(kafka, sink) as target:
        assert await _check(kafka, source, target) == []
    await asyncio.to_thread(alter_topic, kafka, sink, {setting: str(30 * _HOUR_MS + _HOUR_MS // 2)})
    async with sink_to(kafka, sink) as target:
        (warning,) = await _check(kafka, source, target)
    assert str(warning["setting"]).startswith(f"topic {sink} has {setting}=")


async def test_with_the_time_of_copying_old_records_stay(own_kafka: OwnKafka) -> None:
    """Beside them the same records with their own times are gone soon after they were written."""
    broker = await asyncio.to_thread(
        own_kafka, {"log.retention.check.interval.ms": "200", "log.initial.task.delay.ms": "500"}
    )
    address, hour = broker.address, {"retention.ms": str(_HOUR_MS)}
    for name, config in {"source": {"retention.ms": "-1"}, "own": hour, "now": hour}.items():
        await asyncio.to_thread(create_topic, address, name, 1, config)
    await asyncio.to_thread(_write_old, address, "source", 2 * _HOUR_MS)
    async with source_of(address, "source") as source:
        batches = await take(source, P0, Place(), _COUNT)
    async with RestampedSink(sink_to(address, "now"), Clock()) as restamped, sink_to(address, "own") as own:
        await deliver(restamped, *batches)
        await deliver(own, *batches)
    offsets = OffsetDesk(Connection(address, "test", {}), "own", IsolationLevel.READ_UNCOMMITTED)
    gone = partial(_begins_at, offsets, _COUNT)
    await asyncio.to_thread(wait_until, gone, "the old records go")
    kept = await read_topic(address, "now")
    assert [each.value for each in kept] == [b"%d" % number for number in range(_COUNT)]
    assert all(abs(each.timestamp_ms - time.time_ns() // 1_000_000) < _HOUR_MS for each in kept)


def _begins_at(offsets: OffsetDesk, offset: int) -> bool:
    return offsets.beginnings([0])[0] == offset
