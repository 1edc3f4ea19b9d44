"""A range is copied to its end and no further, by a command that is killed, repeated and asked for the wrong things."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.support import topics
from tests.support.checker import check_exact
from tests.support.command import Finished, run_command
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import OwnKafka, StreamFactory, TopicFactory
from tests.support.kinesis_api import kinesis_session
from tests.support.mirror_process import MirrorProcess
from tests.support.records import TestRecord, generate, ids_by_key
from tests.support.resharding import merge_two, split_one
from tests.support.route import RouteFactory
from tests.support.way import Way

pytestmark = [pytest.mark.broker, pytest.mark.kinesis]

KEYS = 50
COPYING = '"copying"'
SESSION = {"workers": {"session_timeout": "2s"}}
Path_ = Way[End, End]


@pytest.fixture(params=["stream-topic", "topic-stream", "topic-topic", "stream-stream"])
def path(
    request: pytest.FixtureRequest, kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path
) -> Path_:
    """Two ends of every kind."""

    def end(kind: str) -> End:
        return StreamEnd(kinesis, stream(2)) if kind == "stream" else TopicEnd(kafka, topic(2))

    source, sink = str(request.param).split("-")
    return Way(tmp_path, end(source), end(sink))


def own_checkpoints(path: Path_) -> dict[str, Any]:
    """Where they are by default; a file, from stream to stream."""
    is_file = isinstance(path.source, StreamEnd) and isinstance(path.sink, StreamEnd)
    return {"name": path.sink.name, **SESSION, **({} if is_file else {"checkpoints": None})}


async def backfill(mirror: MirrorProcess, *options: str, timeout_s: float = 90) -> Finished:
    return await run_command("backfill", mirror.config, *options, "--json", timeout_s=timeout_s)


def report_of(finished: Finished) -> dict[str, Any]:
    """What it says of the job, without what is of the call alone. Raises where it did not complete."""
    assert finished.code == 0, finished.err
    report: dict[str, Any] = json.loads(finished.out)
    del report["seconds"], report["was_done"]
    return report


class Writer:
    """Writes on and on while entered."""

    def __init__(self, end: End) -> None:
        self.sent: list[TestRecord] = []
        self._end = end
        self._records = generate(1_000_000, KEYS, seed=3)
        self._stopped = asyncio.Event()

    async def __aenter__(self) -> None:
        self._writing = asyncio.create_task(self._write_on())

    async def __aexit__(self, *_: object) -> None:
        self._stopped.set()
        await self._writing

    async def write(self, count: int) -> None:
        some = list(islice(self._records, count))
        self.sent += some
        await self._end.write(some)

    def ids_by_key(self) -> dict[bytes, list[int]]:
        return ids_by_key(self.sent)

    async def _write_on(self) -> None:
        while not self._stopped.is_set():
            await self.write(50)


async def count_inside(source: End, report: Mapping[str, Any]) -> int:
    """How many records of ``source`` lie in the range that ``report`` names, by its own client."""
    if isinstance(source, TopicEnd):
        return sum(int(each["until"]) + 1 for each in report["partitions"])
    assert isinstance(source, StreamEnd)
    (until,) = {each["until"] for each in report["partitions"]}
    arrivals = await arrivals_of(source)
    return sum(arrived <= datetime.fromisoformat(until) for arrived in arrivals)


async def arrivals_of(stream: StreamEnd) -> list[datetime]:
    arrivals: list[datetime] = []
    async with kinesis_session(stream.url) as client:
        for shard in (await client.list_shards(StreamName=stream.name))["Shards"]:
            asked = {"StreamName": stream.name, "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
            iterator = (await client.get_shard_iterator(**asked))["ShardIterator"]
            found = [None]
            while found:
                answer = await client.get_records(ShardIterator=iterator)
                iterator, found = answer["NextShardIterator"], answer["Records"]
                arrivals += [record["ApproximateArrivalTimestamp"] for record in found]
    return arrivals


async def test_copies_what_had_come_when_it_began_though_writers_go_on(path: Path_) -> None:
    """Exactly the records before the end, then by a mirror all others, once and each key in order.

    Called again, after that too, it says that it is done, and what it has copied.
    """
    mirror = path.mirror(own_checkpoints(path))
    writer = Writer(path.source)
    await writer.write(1_000)
    async with writer:
        report = report_of(await backfill(mirror))
    assert report["records"] >= 1_000
    assert report["records"] == await count_inside(path.source, report)
    copied = await path.ids_by_key()
    assert sum(map(len, copied.values())) == report["records"]
    assert all(writer.ids_by_key()[key][: len(ids)] == ids for key, ids in copied.items())
    again = await backfill(mirror)
    assert (json.loads(again.out)["was_done"], report_of(again)) == (True, report)
    async with mirror:
        await path.until_arrived(len(writer.sent))
        assert await mirror.stop() == 0
    verdict = check_exact(writer.ids_by_key(), await path.ids_by_key())
    assert verdict.ok, verdict
    assert report_of(await backfill(mirror)) == report


@pytest.mark.parametrize("kills", [pytest.param(4, id="small"), pytest.param(10, id="full", marks=pytest.mark.long)])
async def test_a_backfill_that_is_killed_again_and_again_reports_as_an_undisturbed_one(
    path: Path_, draw: Random, kills: int
) -> None:
    """The same range, the same counts, the same verdict, and every record once: at work, and while it begins."""
    sent = list(generate(1_000 * kills, KEYS, seed=4))
    mirror = path.mirror({**own_checkpoints(path), "limits": {"records_per_second": 1_000}})
    await path.write(sent)
    for number in range(kills):
        copying = mirror.printed().count(COPYING) if number else 0
        async with mirror.running("backfill"):
            if number % 3:
                await mirror.until_printed(COPYING, copying + 1)
            await asyncio.sleep(draw.uniform(0, 1.0))  # the moment itself is at random
            assert mirror.is_running
            await mirror.kill()
    report = report_of(await backfill(mirror))
    assert (report["records"], report["verdict"]) == (len(sent), "complete")
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


async def test_old_records_are_read_through_split_and_merged_shards(route: RouteFactory, draw: Random) -> None:
    """Parents first: every record once, each key in order, though most of its shards are closed."""
    path = route(shards=2)
    sent = list(generate(2_000, KEYS, seed=5))
    for number in range(4):
        await path.write(sent[number * 500 : (number + 1) * 500])
        await asyncio.to_thread((split_one, merge_two)[number % 2], path.source, draw)
    mirror = path.mirror({"name": path.sink.name, **SESSION, "checkpoints": None})
    report = report_of(await backfill(mirror))
    assert report["records"] == len(sent)
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.parametrize("pair", ["topic-stream", "stream-topic"])
async def test_a_broker_that_is_away_for_a_session_does_not_end_it(
    own_kafka: OwnKafka, kinesis: str, stream: StreamFactory, tmp_path: Path, pair: str
) -> None:
    """Its worker is expelled, joins again and goes on: no other one has come. All of the range is there once."""
    broker = await asyncio.to_thread(own_kafka)
    streaming, named = StreamEnd(kinesis, stream(2)), TopicEnd(broker.address, "orders")
    await asyncio.to_thread(topics.create_topic, broker.address, "orders", 2)
    way = Way(tmp_path, named, streaming) if pair == "topic-stream" else Way(tmp_path, streaming, named)
    sent = list(islice(generate(1_500, KEYS, seed=5), 1_500))
    await way.write(sent)
    mirror = way.mirror({**own_checkpoints(way), "limits": {"records_per_second": 250}})
    async with mirror.running("backfill", "--json"):
        await mirror.until_written(100)
        broker.freeze()
        # librdkafka notices by its own clock that a session is over; the broker when it works again.
        try:
            await mirror.until_printed("slots lost")
        finally:
            broker.thaw()
        assert await mirror.ended(60) == 0, mirror.printed()
    assert check_exact(ids_by_key(sent), await way.ids_by_key()).ok
