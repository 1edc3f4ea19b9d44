"""From one cluster to another, exactly once."""

import asyncio
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest

from tests.end_to_end.conftest import HarmedKafka
from tests.support import topics
from tests.support.crew import Crew
from tests.support.ends import TopicEnd
from tests.support.factories import TopicFactory
from tests.support.group_lag import until_caught_up
from tests.support.kafka_reader import TopicRecord, until_settled
from tests.support.origins import HEADER
from tests.support.records import generate
from tests.support.topic_tail import until_arrived
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.way import Way

pytestmark = pytest.mark.broker

PARTITIONS = 4
KEYS = 100
TIME_MS = 1_795_490_498_000


@pytest.mark.parametrize(
    ("share", "kills", "workers", "session"),
    [
        pytest.param(3_000, 2, 2, "2s", id="small"),
        pytest.param(20_000, 20, 4, "6s", id="full", marks=pytest.mark.long),
    ],
)
async def test_every_record_comes_once_as_it_was_though_workers_are_killed(
    kafka: str,
    topic: TopicFactory,
    harmed_kafka: HarmedKafka,
    tmp_path: Path,
    seed: int,
    draw: Random,
    *,
    share: int,
    kills: int,
    workers: int,
    session: str,
) -> None:
    """Each partition of the sink is that of the source: keys, values, headers, times and order; its group shows no lag.

    Their producer has partitions of its own choice, which ``same_number`` keeps.
    """
    source = TopicEnd(kafka, topic(PARTITIONS))
    sink = TopicEnd(harmed_kafka.broker.address, f"topic-{uuid4().hex[:12]}")
    topics.create_topic(sink.address, sink.name, PARTITIONS)
    sent = _messages(share * kills, seed)
    async with Crew(Way(tmp_path, source, sink), session, {"sink": {"kafka": {"partitioner": "same_number"}}}) as crew:
        await crew.hire_many(workers)
        for number in range(kills):
            await crew.until_owned([str(each) for each in range(PARTITIONS)])
            part = sent[number * share : (number + 1) * share]
            writing = asyncio.create_task(asyncio.to_thread(write_topic, source.address, source.name, part))
            await sink.until_arrived(number * share + draw.randrange(1, share // 2))
            victim = draw.choice(crew.workers)
            await victim.kill()
            victim.start()
            await writing
        await until_arrived(sink.address, sink.name, len(sent), 90, "read_committed")
        await until_caught_up(source.address, f"kmbridge-{sink.name}-source", source.name)
        assert set(await crew.stop()) == {0}
    await until_settled(sink.address, sink.name)
    assert _by_partition(await sink.records()) == _by_partition(await source.records())


def _messages(count: int, seed: int) -> list[TopicMessage]:
    return [
        TopicMessage(
            record.key.encode(),
            record.value(0),
            (("number", b"%d" % record.number), ("number", None)),
            TIME_MS + record.id,
            # Not where any hash of the key leads.
            int(record.key.removeprefix("key-")) % PARTITIONS,
        )
        for record in generate(count, KEYS, seed=seed, size=500)
    ]


def _by_partition(records: list[TopicRecord]) -> dict[int, list[tuple[object, ...]]]:
    """All that consumers see of them, but for the hop and the offsets, in which transactions leave gaps."""
    found: dict[int, list[tuple[object, ...]]] = {}
    for record in records:
        headers = tuple(header for header in record.headers if header[0] != HEADER)
        found.setdefault(record.partition, []).append((record.key, record.value, record.timestamp_ms, headers))
    return found
