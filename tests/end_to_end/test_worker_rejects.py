"""Records that the broker refuses, found among the transactions of several workers."""

import asyncio
from collections.abc import Sequence
from hashlib import md5
from random import Random

import pytest

from tests.connectors.kafka.sending import alter_topic
from tests.support.checker import check_exact
from tests.support.crew import Crew
from tests.support.factories import TopicFactory
from tests.support.kafka_reader import ids_by_key, read_topic, until_settled
from tests.support.mirror_process import Status
from tests.support.records import TestRecord, generate
from tests.support.records import ids_by_key as sent_ids_by_key
from tests.support.resharding import shard_ids
from tests.support.route import RouteFactory
from tests.support.shards import Shard, open_shards

KEYS = 200
SHARE = 1_000
# Set while the mirror runs, which learned the topic's limits at its start: a share is below it, a large record above.
LOWERED = {"max.message.bytes": "500000"}
LARGE = 700_000


async def test_a_refused_record_stops_its_lane_and_no_other(route: RouteFactory, seed: int, draw: Random) -> None:
    """What stands before it in its shard arrives, once; the other lanes of the same transactions go on."""
    path = route(shards=4)
    sent = list(generate(2 * SHARE, KEYS, seed=seed))
    bad = _large(len(sent), draw)
    shards = open_shards(path.kinesis, path.stream)
    stopped = _home(shards, bad)
    passing = [*sent[:SHARE], *(record for record in sent[SHARE:] if _home(shards, record) != stopped)]
    async with Crew(path) as crew:
        await crew.hire_many(2)
        await crew.until_shared({each.id for each in shards})
        await asyncio.to_thread(alter_topic, path.kafka, path.topic, LOWERED)
        await path.write(sent[:SHARE])
        await path.write([bad])
        await path.write(sent[SHARE:])
        await path.until_committed(len(passing))
        states = [_states(await worker.status()) for worker in crew.workers]
        (owner,) = (worker for worker, each in zip(crew.workers, states, strict=True) if stopped in each)
        await owner.until(lambda status: _states(status)[stopped] == "failed", "its lane stopped")
        assert await crew.stop() == [0, 0]
    await path.until_settled()
    verdict = check_exact(sent_ids_by_key(passing), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.parametrize("times", [pytest.param(1, id="small"), pytest.param(30, id="full", marks=pytest.mark.long)])
async def test_refused_records_are_in_the_dead_letter_once(
    route: RouteFactory, topic: TopicFactory, seed: int, draw: Random, times: int
) -> None:
    """Also if their worker is killed: what is buried is part of the transaction that passes over it."""
    path, dead = route(shards=4), topic(partitions=1)
    sent = list(generate(SHARE * (times + 1), KEYS, seed=seed))
    bad = [_large(len(sent) + number, draw) for number in range(times)]
    burying = {"on_error": "dead_letter", "dead_letter": {"kafka": {"topic": dead}}}
    async with Crew(path, more=burying) as crew:
        await crew.hire_many(2)
        await crew.until_shared(shard_ids(path.source))
        await asyncio.to_thread(alter_topic, path.kafka, path.topic, LOWERED)
        for number in range(times):
            await path.write(sent[number * SHARE : (number + 1) * SHARE])
            await path.write([bad[number]])
            await asyncio.sleep(draw.uniform(0, 1))  # the moment itself is at random
            victim = draw.choice(crew.workers)
            await victim.kill()
            victim.start()
        await path.write(sent[SHARE * times :])
        await path.until_committed(len(sent))
        assert await crew.stop() == [0, 0]
    await path.until_settled()
    verdict = check_exact(sent_ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
    await until_settled(path.kafka, dead)
    verdict = check_exact(sent_ids_by_key(bad), ids_by_key(await read_topic(path.kafka, dead)))
    assert verdict.ok, verdict


def _large(number: int, draw: Random) -> TestRecord:
    return TestRecord(number, f"large-{number}", 0, draw.randbytes(LARGE))


def _home(shards: Sequence[Shard], record: TestRecord) -> str:
    """The one of ``shards`` that the record goes to."""
    hashed = int.from_bytes(md5(record.key.encode()).digest())
    return next(each.id for each in shards if hashed <= each.last_hash)


def _states(status: Status) -> dict[str, str]:
    return {lane["partition"]: lane["state"] for lane in status["lanes"]}
