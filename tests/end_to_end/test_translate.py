"""``kmbridge translate`` after a real mirror: the new consumer sees all that the old one had not processed."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

import pytest

from bridge.config import Configuration, load
from bridge.migration import Direction, TranslateReport, TranslateRequest, translate
from tests.support.consumers import Checkpoint, Group, KclApplication, is_processed, shards_of
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.records import Stamp, generate
from tests.support.stream_reader import StreamRecord
from tests.support.way import Way

KEYS = 60


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

    async def to_group(self, config: Path, **more: Any) -> TranslateReport:
        return await self._translate(Direction.TO_GROUP, config, more)

    async def to_application(self, config: Path, **more: Any) -> TranslateReport:
        return await self._translate(Direction.TO_APPLICATION, config, more)

    async def _translate(self, direction: Direction, config: Path, more: Mapping[str, Any]) -> TranslateReport:
        asked = {"apply": True, "failover_s": 0.0, "lease_endpoint_url": self.application.url, **more}
        request = TranslateRequest(direction, self.application.name, self.group.name, **asked)
        return await translate(await asyncio.to_thread(loaded, config), request)


def loaded(config: Path) -> Configuration:
    return load([str(config)], environment=os.environ)


@pytest.fixture
def stage(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, moto: str, tmp_path: Path) -> Stage:
    return Stage(StreamEnd(kinesis, stream(3)), TopicEnd(kafka, topic(4)), moto, tmp_path)


def places_in(records: list[StreamRecord], draw: Random) -> dict[str, Checkpoint]:
    """A place anywhere in each shard."""
    chosen = {shard: draw.choice(each) for shard, each in shards_of(records).items()}
    return {shard: (each.sequence, each.sub) for shard, each in chosen.items()}


async def test_a_group_goes_on_where_an_application_stood(stage: Stage, draw: Random) -> None:
    """Several shards to several partitions: it sees all that is unprocessed, and again as many as the report says."""
    way, sent = stage.forward(), list(generate(2_000, KEYS))
    async with way.mirror() as mirror:
        await way.write(sent)
        await way.until_arrived(len(sent))
        assert await mirror.stop() == 0
    records = await stage.stream.records()
    places = places_in(records, draw)
    await stage.application.stand(places)
    report = await stage.to_group(mirror.config)
    await assert_exact_group(stage, report, places)


async def test_an_application_goes_on_where_a_group_stood(stage: Stage, draw: Random) -> None:
    """Likewise, and each of its checkpoints is that of a record, or the beginning."""
    way, sent = stage.forward(), list(generate(2_000, KEYS))
    async with way.mirror() as mirror:
        await way.write(sent)
        await way.until_arrived(len(sent))
        assert await mirror.stop() == 0
    offsets = {partition: draw.randrange(400) for partition in range(4)}
    await stage.group.stand(offsets)
    report = await stage.to_application(mirror.config)
    await assert_exact_application(stage, report, offsets)


async def assert_exact_group(stage: Stage, report: TranslateReport, places: Mapping[str, Checkpoint]) -> None:
    processed = {Stamp.of(each.value or b"").id for each in await stage.stream.records() if is_processed(each, places)}
    everything = await stage.topic.records()
    seen = await stage.group.sees()
    ids = [Stamp.of(each.value or b"").id for each in seen]
    assert {Stamp.of(each.value or b"").id for each in everything} - processed <= set(ids)
    assert sum(each in processed for each in ids) == report.again
    offsets = await stage.group.places()
    assert {each.partition: each.place for each in report.partitions} == {str(p): str(o) for p, o in offsets.items()}
    first = [each for each in seen if each.offset == offsets[each.partition]]
    assert not [each for each in first if Stamp.of(each.value or b"").id in processed]


async def assert_exact_application(stage: Stage, report: TranslateReport, offsets: Mapping[int, int]) -> None:
    everything = await stage.topic.records()
    processed = {Stamp.of(each.value or b"").id for each in everything if each.offset < offsets.get(each.partition, 0)}
    seen = await stage.application.sees(stage.stream)
    ids = [Stamp.of(each.value or b"").id for each in seen]
    assert {Stamp.of(each.value or b"").id for each in await stage.stream.records()} - processed <= set(ids)
    assert sum(each in processed for each in ids) == report.again
    firsts = [each[0] for each in shards_of(seen).values()]
    assert not [each for each in firsts if Stamp.of(each.value or b"").id in processed]
