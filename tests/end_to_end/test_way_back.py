"""The mirror back that a cutover begins: exactly what producers wrote where they have moved, and nothing else."""

import asyncio
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge.config import load
from bridge.migration.measures.ends import ends_of
from bridge.migration.measures.reversed import Reversed, reversed_mirror
from bridge.migration.sides import opened
from connectors.base import Clock
from tests.support.checker import check_exact
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.mirror_process import MirrorProcess
from tests.support.records import TestRecord, generate, ids_by_key
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.way import Way

KEYS = 40
A_LONG_TIME_AGO_MS = 1_000_000


class Story:
    """Before, at and after a barrier: ``old`` has the producers first, ``new`` has them then."""

    def __init__(self, folder: Path, old: End, new: End) -> None:
        self.folder, self.old, self.new = folder, old, new
        records = list(generate(500, KEYS))
        self.before, self.between, self.after = records[:300], records[300:400], records[400:]

    async def tell(self, *, odd_times: bool = False, more: Mapping[str, Any] | None = None) -> Reversed:
        """All of it, with native records both before the mirror back is begun and while it runs."""
        async with Way(self.folder / "forward", self.old, self.new).mirror(more) as forward:
            await self.old.write(self.before)
            await self.new.until_arrived(len(self.before))
            found = await self._barrier(forward, odd_times=odd_times)
            back = MirrorProcess(self.folder / "back", self.new.section, self.old.section)
            back.config.write_text(found.text)
            async with back.running("run", "--set", f"http.listen={back.url.removeprefix('http://')}"):
                await back.ready()
                await self.old.until_arrived(len(self.before) + len(self.between))
                await self.new.write(self.after)
                await self.old.until_arrived(500)
                assert await back.stop() == 0
            assert await forward.stop() == 0
        await self.judge()
        return found

    async def judge(self) -> None:
        """Both sides hold all once, each key in order."""
        for side in (self.old, self.new):
            verdict = check_exact(ids_by_key([*self.before, *self.between, *self.after]), await side.ids_by_key())
            assert verdict.ok, f"{side.name}: {verdict}"

    async def _barrier(self, forward: MirrorProcess, *, odd_times: bool) -> Reversed:
        configuration = await asyncio.to_thread(load, [str(forward.config)], environment=os.environ)
        async with opened(configuration, Clock()) as sides:
            ends = await ends_of(sides.sink)
            if odd_times:
                await asyncio.to_thread(write_old, self.new, self.between)
            else:
                await self.new.write(self.between)
            return await reversed_mirror(sides, ends)


def write_old(end: End, records: list[TestRecord]) -> None:
    """By producers that give records a time of their own: that of an event long ago."""
    assert isinstance(end, TopicEnd)
    sent = [
        TopicMessage(each.key.encode(), each.value(time.time_ns()), timestamp_ms=A_LONG_TIME_AGO_MS) for each in records
    ]
    write_topic(end.address, end.name, sent)


@pytest.mark.parametrize("odd_times", [False, True])
async def test_a_stream_gets_exactly_what_was_written_into_the_topic(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path, *, odd_times: bool
) -> None:
    """Whatever times the records have, and also what was written before the mirror back was first started."""
    story = Story(tmp_path, StreamEnd(kinesis, stream(2)), TopicEnd(kafka, topic(3)))
    found = await story.tell(odd_times=odd_times)
    kafka_source = found.configuration.source.kafka
    assert kafka_source is not None
    assert kafka_source.start != "earliest"


async def test_checkpoints_of_the_way_back_are_where_its_pair_has_them(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path
) -> None:
    """Of Kafka to Kinesis in the group of the topic, though those of the way there are in a topic of their own."""
    story = Story(tmp_path, StreamEnd(kinesis, stream(2)), TopicEnd(kafka, topic(3)))
    found = await story.tell(more={"name": f"m-{story.new.name}", "checkpoints": "auto"})
    assert found.configuration.checkpoints_in_source_group


async def test_a_partition_without_a_record_lets_the_way_back_read_all(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path
) -> None:
    """No time is certain there: of the first native records in it nobody knows which times they have."""
    story = Story(tmp_path, StreamEnd(kinesis, stream(2)), TopicEnd(kafka, topic(64)))
    found = await story.tell(odd_times=True)
    kafka_source = found.configuration.source.kafka
    assert kafka_source is not None
    assert kafka_source.start == "earliest"


async def test_a_topic_gets_exactly_what_was_written_into_the_stream(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path
) -> None:
    """The other direction of a migration."""
    await Story(tmp_path, TopicEnd(kafka, topic(3)), StreamEnd(kinesis, stream(2))).tell()
