"""``kmbridge translate`` after a real mirror: the new consumer sees all that the old one had not processed."""

import asyncio
import json
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer

from tests.support.command import Finished, run_command
from tests.support.consumers import Checkpoint, Group, KclApplication, is_processed, shards_of
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.kafka_reader import TopicRecord
from tests.support.kinesis_api import REGION, kinesis_client, kinesis_session
from tests.support.kpl_encoder import aggregate
from tests.support.origins import HEADER
from tests.support.records import Stamp, TestRecord, generate
from tests.support.resharding import merge_two, shard_ids, split_one
from tests.support.stream_reader import StreamRecord
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.topics import cluster_id
from tests.support.waiting import wait_until
from tests.support.way import Way

KEYS = 60
_MINUTE_MS = 60_000
_DAY_MS = 24 * 60 * _MINUTE_MS


class Stage:
    """A stream, a topic, and an application and a group that move between them."""

    def __init__(self, stream: StreamEnd, topic: TopicEnd, dynamo: str, folder: Path) -> None:
        self.stream, self.topic, self.folder = stream, topic, folder
        self.group = Group(f"group-{uuid4().hex[:8]}", topic)
        self.application = KclApplication(f"app-{uuid4().hex[:8]}", dynamo)

    def forward(self) -> Way[StreamEnd, TopicEnd]:
        return Way(self.folder / "forward", self.stream, self.topic)

    def back(self) -> Way[TopicEnd, StreamEnd]:
        return Way(self.folder / "back", self.topic, self.stream)

    async def to_group(self, config: Path, *options: str) -> Finished:
        return await self._call(config, "--from-kcl", self.application.name, "--to-group", self.group.name, *options)

    async def to_application(self, config: Path, *options: str) -> Finished:
        return await self._call(config, "--from-group", self.group.name, "--to-kcl", self.application.name, *options)

    async def _call(self, config: Path, *options: str) -> Finished:
        ours = ("--failover-time", "100ms", "--lease-endpoint-url", self.application.url, "--json")
        return await run_command("translate", config, *options, *ours)


@pytest.fixture
def stage(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, moto: str, tmp_path: Path) -> Stage:
    return Stage(StreamEnd(kinesis, stream(3)), TopicEnd(kafka, topic(4)), moto, tmp_path)


async def test_a_group_goes_on_where_an_application_stood(stage: Stage, draw: Random) -> None:
    """Through reshards and in the middle of aggregates; finished leases may be gone. A dry run changes nothing."""
    config = await mirrored_with_reshards(stage, draw)
    places = places_in(await stage.stream.records(), draw)
    await stage.application.stand(places)
    told = report(await stage.to_group(config))
    assert (told["is_applied"], await stage.group.places()) == (False, {})
    done = report(await stage.to_group(config, "--apply"))
    assert (done["is_applied"], done["partitions"]) == (True, told["partitions"])
    await assert_exact_group(stage, done, places)


async def test_an_application_goes_on_where_a_group_stood(stage: Stage, draw: Random) -> None:
    """Likewise; the table is made once, and never written again."""
    config = await mirrored_with_reshards(stage, draw)
    await stage.group.stand(offsets_in(await stage.topic.records(), draw))
    told = report(await stage.to_application(config))
    done = report(await stage.to_application(config, "--apply"))
    assert done["partitions"] == told["partitions"]
    await assert_exact_application(stage, done)
    again = await stage.to_application(config, "--apply")
    assert (again.code, "is there already" in again.err) == (1, True)


async def test_consumers_of_a_mirror_into_a_stream_move_as_well(stage: Stage, draw: Random) -> None:
    """The application reads what was mirrored, the group what it was mirrored from."""
    way = stage.back()
    async with way.mirror() as mirror:
        await way.write(generate(1_500, KEYS))
        await way.until_arrived(1_500)
        assert await mirror.stop() == 0
    places = places_in(await stage.stream.records(), draw)
    await stage.application.stand(places)
    await assert_exact_group(stage, report(await stage.to_group(mirror.config, "--apply")), places)
    stage.application = KclApplication(f"{stage.application.name}-2", stage.application.url)
    await stage.group.stand(offsets_in(await stage.topic.records(), draw))
    await assert_exact_application(stage, report(await stage.to_application(mirror.config, "--apply")))


@pytest.mark.parametrize("configured", ["forward", pytest.param("back", marks=pytest.mark.long), "both"])
async def test_records_that_began_on_either_side_are_told_apart(stage: Stage, draw: Random, configured: str) -> None:
    """After the producers have moved, and back: both mirrors' copies are followed, whichever is told of."""
    there, back = stage.forward(), stage.back()
    sent = list(generate(2_400, KEYS))
    async with AsyncExitStack() as stack:
        mirrors = [await stack.enter_async_context(way.mirror()) for way in (there, back)]
        ends: Sequence[End] = (stage.stream, stage.topic, stage.stream, stage.topic)
        for number, end in enumerate(ends):
            await end.write(sent[number * 600 : (number + 1) * 600])
            await there.until_arrived(600 * (number + 1))
            await back.until_arrived(600 * (number + 1))
        assert [await mirror.stop() for mirror in mirrors] == [0, 0]
    config = mirrors[configured == "back"].config
    options = ("--apply", "--back", str(mirrors[1].config)) if configured == "both" else ("--apply",)
    places = places_in(await stage.stream.records(), draw)
    await stage.application.stand(places)
    await assert_exact_group(stage, report(await stage.to_group(config, *options)), places)
    stage.application = KclApplication(f"{stage.application.name}-2", stage.application.url)
    await stage.group.stand(offsets_in(await stage.topic.records(), draw))
    await assert_exact_application(stage, report(await stage.to_application(config, *options)))


async def test_what_a_mirror_back_has_still_to_bring_is_not_missed(stage: Stage) -> None:
    """It stands before the last processed record, and no copy of it is anywhere: only that mirror's place tells it."""
    there, back = stage.forward(), stage.back()
    first, native, last = (list(generate(200, KEYS, seed=seed)) for seed in range(3))
    async with there.mirror() as mirror, back.mirror() as mirror_back:
        await stage.stream.write(first)
        await mirror_back.until_metric("kmbridge_skipped_records_total", len(first))
        assert await mirror_back.stop() == 0
        await stage.topic.write(native)
        await stage.stream.write(last)
        await mirror.until_written(len(first) + len(last))
        assert await mirror.stop() == 0
    ends = {shard: (each[-1].sequence, each[-1].sub) for shard, each in shards_of(await stage.stream.records()).items()}
    await stage.application.stand(ends)
    told = report(await stage.to_group(mirror.config, "--back", str(mirror_back.config), "--apply"))
    seen = [identity(each) for each in await stage.group.sees()]
    assert {each.id for each in native} <= set(seen)
    assert told["again"] == len(seen) - len(native)
    assert report(await stage.to_group(mirror.config))["again"] == 0, "else it is known without a word"


async def test_what_is_processed_and_not_mirrored_is_refused(stage: Stage) -> None:
    """It is named how far the mirror is behind, and where; nothing is changed."""
    way = stage.forward()
    async with way.mirror() as mirror:
        await way.write(generate(300, KEYS))
        await way.until_arrived(300)
        assert await mirror.stop() == 0
    await way.write(generate(300, KEYS, seed=1))
    records = await stage.stream.records()
    last = {shard: (each[-1].sequence, each[-1].sub) for shard, each in shards_of(records).items()}
    await stage.application.stand(last)
    refused = await stage.to_group(mirror.config, "--apply")
    assert (refused.code, await stage.group.places()) == (1, {})
    assert "past the mirror's end in shardId-000000000000: " in refused.err
    assert "let the mirror catch up" in refused.err


async def test_partitions_with_nothing_to_read_are_set_to_their_ends(stage: Stage, draw: Random) -> None:
    """Consumers that have processed all there is go on with what comes next, also where there never was a record."""
    way = stage.forward()
    async with way.mirror() as mirror:
        await way.write(generate(200, 2))
        await way.until_arrived(200)
        assert await mirror.stop() == 0
    records = await stage.stream.records()
    shards = {shard: (each[-1].sequence, each[-1].sub) for shard, each in shards_of(records).items()}
    await stage.application.stand(shards | dict.fromkeys(shard_ids(stage.stream) - shards.keys(), "TRIM_HORIZON"))
    done = report(await stage.to_group(mirror.config, "--apply"))
    assert (done["again"], await stage.group.sees()) == (0, [])
    assert set(await stage.group.places()) == {0, 1, 2, 3}
    stage.application = KclApplication(f"{stage.application.name}-2", stage.application.url)
    done = report(await stage.to_application(mirror.config, "--apply"))
    assert (done["again"], await stage.application.sees(stage.stream)) == (0, [])
    places = await stage.application.places()
    assert places == shards | dict.fromkeys(shard_ids(stage.stream) - shards.keys(), "TRIM_HORIZON")


async def test_leases_that_tell_no_place_need_a_word(stage: Stage) -> None:
    """LATEST is refused until somebody says from when on the application reads."""
    way = stage.forward()
    async with way.mirror() as mirror:
        await way.write(generate(300, KEYS))
        await way.until_arrived(300)
        assert await mirror.stop() == 0
    await stage.application.stand(dict.fromkeys(shard_ids(stage.stream), "LATEST"))
    refused = await stage.to_group(mirror.config)
    assert (refused.code, "--initial-position" in refused.err) == (1, True)
    told = report(await stage.to_group(mirror.config, "--apply", "--initial-position", "2020-01-01T00:00:00Z"))
    assert told["again"] == 0
    assert len(await stage.group.sees()) == 300


async def test_consumers_at_work_are_not_moved(stage: Stage) -> None:
    """A group with a member: a dry run says that it is approximate, and nothing is set."""
    way = stage.forward()
    async with way.mirror() as mirror:
        await way.write(generate(300, KEYS))
        await way.until_arrived(300)
        assert await mirror.stop() == 0
    await stage.application.stand(places_in(await stage.stream.records(), Random(1)))
    await stage.group.stand({0: 1})
    member = await asyncio.to_thread(stage.group.member)
    try:
        await asyncio.to_thread(wait_until, lambda: joined(member), "the group has a member")
        refused = await stage.to_group(mirror.config, "--apply")
        assert (refused.code, "is a member of group" in refused.err) == (1, True)
        told = report(await stage.to_application(mirror.config))
        assert "is a member of group" in told["approximate"][0]
        refused = await stage.to_application(mirror.config, "--apply")
        assert (refused.code, "stop the consumers" in refused.err) == (1, True)
    finally:
        await asyncio.to_thread(member.close)
    assert await stage.group.places() == {0: 1}


async def test_records_that_the_topic_never_had_are_a_named_gap(stage: Stage) -> None:
    """A mirror that began late: what lies before it is named, exits 1, and is not accepted in silence."""
    way = stage.forward()
    await way.write(generate(300, KEYS))
    first = {shard: (each[0].sequence, each[0].sub) for shard, each in shards_of(await stage.stream.records()).items()}
    async with way.mirror({"source": {"kinesis": {"start": "latest"}}}) as mirror:
        await mirror.until_metric("kmbridge_lanes", 3)
        await way.write(generate(300, KEYS, seed=1))
        await mirror.until_written(300)
        assert await mirror.stop() == 0
    await stage.application.stand(first)
    told = await stage.to_group(mirror.config)
    assert (told.code, len(json.loads(told.out)["gaps"])) == (1, 3)
    refused = await stage.to_group(mirror.config, "--apply")
    assert (refused.code, "kmbridge backfill" in refused.err) == (1, True)
    accepted = await stage.to_group(mirror.config, "--apply", "--set", "on_gap=continue")
    assert (accepted.code, len(await stage.group.sees())) == (0, 300)


async def test_a_large_topic_is_read_in_a_small_part(stage: Stage, draw: Random) -> None:
    """Of 100,000 records of a day those around the consumer's place are read, found by their time."""
    await stage.stream.write(generate(400, KEYS))
    records = await stage.stream.records()
    await asyncio.to_thread(write_topic, stage.topic.address, stage.topic.name, a_day_before(stage, records, 100_000))
    way = stage.forward()
    async with way.mirror() as mirror:
        await mirror.until_written(400)
        assert await mirror.stop() == 0
    places = places_in(records, draw)
    await stage.application.stand(places)
    told = report(await stage.to_group(mirror.config, "--apply"))
    processed = {each.value for each in records if is_processed(each, places)}
    seen = [each.value for each in await stage.group.sees()]
    assert {each.value for each in records} - processed <= set(seen)
    assert sum(each in processed for each in seen) == told["again"] == len(seen) - (400 - len(processed))
    assert told["topic_records"] < 2_000


def a_day_before(stage: Stage, records: Iterable[StreamRecord], count: int) -> Iterable[TopicMessage]:
    """As a mirror wrote them that is at work since a day: of what the stream held before ``records``."""
    firsts = {shard: each[0].sequence for shard, each in shards_of(records).items()}
    account = stream_account(stage.stream.url, stage.stream.name)
    cluster = cluster_id(stage.topic.address)
    began_ms = time.time_ns() // 1_000_000 - _DAY_MS
    for number, record in enumerate(generate(count, KEYS, seed=1)):
        shard, first = sorted(firsts.items())[number % len(firsts)]
        origin = f"kinesis:{REGION}:{account}:{stage.stream.name}/{shard}/{first - count + number}"
        hop = f"{origin}>kafka:{cluster}:{stage.topic.name}".encode()
        time_ms = began_ms + number * (_DAY_MS - _MINUTE_MS) // count
        yield TopicMessage(record.key.encode(), record.value(0), ((HEADER, hop),), time_ms)


async def mirrored_with_reshards(stage: Stage, draw: Random) -> Path:
    """A mirror's whole life, between splits and merges; its configuration."""
    way, sent = stage.forward(), list(generate(1_800, KEYS))
    async with way.mirror() as mirror:
        for part, reshard in enumerate((split_one, merge_two, split_one)):
            await put_packed(stage.stream, sent[part * 600 : part * 600 + 600], draw)
            await asyncio.to_thread(reshard, stage.stream, draw)
        await way.until_arrived(len(sent))
        assert await mirror.stop() == 0
    return mirror.config


async def put_packed(end: StreamEnd, records: Sequence[TestRecord], draw: Random) -> None:
    """Each key's records in order, some of them packed by the half dozen as KPL does."""
    by_key: dict[str, list[TestRecord]] = {}
    for record in records:
        by_key.setdefault(record.key, []).append(record)
    async with kinesis_session(end.url) as client:
        for key, each in by_key.items():
            for start in range(0, len(each), 6):
                values = [record.value(0) for record in each[start : start + 6]]
                packed = [aggregate([(key, value) for value in values])] if draw.random() < 0.5 else values
                for data in packed:
                    await client.put_record(StreamName=end.name, PartitionKey=key, Data=data)


def places_in(records: Iterable[StreamRecord], draw: Random) -> dict[str, Checkpoint]:
    """A place anywhere in each shard that has records."""
    chosen = {shard: draw.choice(each) for shard, each in shards_of(records).items()}
    return {shard: (each.sequence, each.sub) for shard, each in chosen.items()}


def offsets_in(records: Iterable[TopicRecord], draw: Random) -> dict[int, int]:
    """Likewise in each partition, in the last quarter of what is there."""
    ends: dict[int, int] = {}
    for each in records:
        ends[each.partition] = each.offset + 1
    return {partition: draw.randint(end * 3 // 4, end) for partition, end in ends.items()}


def joined(member: Consumer) -> bool:
    member.poll(0.1)
    return bool(member.assignment())


def stream_account(url: str, name: str) -> str:
    client = kinesis_client(url)
    try:
        shown = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    finally:
        client.close()
    return str(shown["StreamARN"]).split(":")[4]


def report(finished: Finished) -> dict[str, Any]:
    assert finished.code == 0, finished.err
    document: dict[str, Any] = json.loads(finished.out)
    return document


async def assert_exact_group(stage: Stage, told: Mapping[str, Any], places: Mapping[str, Checkpoint]) -> None:
    """The group sees all that the application had not processed, and begins with such a record in each partition."""
    everything = [record for record in await stage.stream.records() if record.shard in places]
    processed = {identity(each) for each in everything if is_processed(each, places)}
    seen = await stage.group.sees()
    assert {identity(each) for each in await stage.topic.records()} - processed <= set(map(identity, seen))
    assert sum(identity(each) in processed for each in seen) == told["again"]
    offsets = await stage.group.places()
    assert {int(each["partition"]): int(each["place"]) for each in told["partitions"]} == offsets
    assert not [each for each in seen if each.offset == offsets[each.partition] and identity(each) in processed]


async def assert_exact_application(stage: Stage, told: Mapping[str, Any]) -> None:
    """Its workers see all that the group had not processed, and begin with such a record in each shard."""
    offsets, everything = await stage.group.places(), await stage.topic.records()
    processed = {identity(each) for each in everything if each.offset < offsets.get(each.partition, 0)}
    seen = await stage.application.sees(stage.stream)
    assert {identity(each) for each in await stage.stream.records()} - processed <= set(map(identity, seen))
    assert sum(identity(each) in processed for each in seen) == told["again"]
    assert not [each[0] for each in shards_of(seen).values() if identity(each[0]) in processed]


def identity(record: StreamRecord | TopicRecord) -> int:
    return Stamp.of(record.value or b"").id
