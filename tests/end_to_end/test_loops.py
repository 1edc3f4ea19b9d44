"""Mirrors that lead back to where they began: no record comes round."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.checker import check_exact
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.kinesis_api import REGION, create_stream, delete_stream
from tests.support.origins import HEADER
from tests.support.records import TestRecord, generate, ids_by_key
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.topics import cluster_id
from tests.support.way import IntoKinesisFactory, Way

KEYS = 60
SKIPPED = "kmbridge_skipped_records_total"
SIZES = [pytest.param(600, 2, id="small"), pytest.param(20_000, 6, id="full", marks=pytest.mark.long)]


@dataclass(frozen=True, slots=True)
class Ring:
    """Sites, each mirrored into the next one, the last into the first. Each has producers of its own."""

    folder: Path
    sites: Sequence[End]

    def natives(self, records: Sequence[TestRecord]) -> list[list[TestRecord]]:
        """Whose producer sends which of ``records``: a key has one producer."""
        share: list[list[TestRecord]] = [[] for _ in self.sites]
        for record in records:
            share[int(record.key.removeprefix("key-")) % len(self.sites)].append(record)
        return share

    async def live(self, records: Sequence[TestRecord]) -> None:
        """One life of all mirrors, in which the sites' producers send ``records``: until nothing moves any more."""
        natives = self.natives(records)
        following = [*self.sites[1:], self.sites[0]]
        ways = [
            Way(self.folder / source.name, source, sink) for source, sink in zip(self.sites, following, strict=True)
        ]
        mirrors = [way.mirror() for way in ways]
        coming_home = [len(share) for share in (*natives[1:], natives[0])]
        try:
            for mirror in mirrors:
                mirror.start()
            await asyncio.gather(*(site.write(share) for site, share in zip(self.sites, natives, strict=True)))
            for mirror, count in zip(mirrors, coming_home, strict=True):
                await mirror.until_metric(SKIPPED, count, timeout_s=90)
            assert [await mirror.metric(SKIPPED, reason="loop") for mirror in mirrors] == coming_home
            assert [await mirror.stop() for mirror in mirrors] == [0] * len(mirrors)
        finally:
            for mirror in mirrors:
                if mirror.is_running:
                    await mirror.kill()

    async def judge(self, records: Sequence[TestRecord]) -> None:
        """Each site holds all of ``records`` once, each key in order."""
        for site in self.sites:
            verdict = check_exact(ids_by_key(records), await site.ids_by_key())
            assert verdict.ok, f"{site.name}: {verdict}"


@pytest.mark.parametrize(("records", "lives"), SIZES)
@pytest.mark.parametrize("sites", [2, 3])
async def test_a_record_does_not_come_round(
    kinesis: str,
    kafka: str,
    stream: StreamFactory,
    topic: TopicFactory,
    tmp_path: Path,
    seed: int,
    *,
    sites: int,
    records: int,
    lives: int,
) -> None:
    """A stream and a topic that mirror each other, or a second stream in a ring with them, also when all restart."""
    ends: list[End] = [StreamEnd(kinesis, stream(2)), TopicEnd(kafka, topic(2)), StreamEnd(kinesis, stream(2))]
    ring = Ring(tmp_path, ends[:sites])
    sent = list(generate(records * lives, KEYS, seed=seed))
    for life in range(lives):
        await ring.live(sent[life * records : (life + 1) * records])
    await ring.judge(sent)


async def test_forwarded_headers_make_no_loop(into_kinesis: IntoKinesisFactory) -> None:
    """A hop out of the sink that leads elsewhere was read there by an application, which wrote a record of its own."""
    path = into_kinesis()
    out_of_sink = f"kinesis:{REGION}:000000000000:{path.sink.name}/shardId-000000000000/1"
    cluster = cluster_id(path.source.address)
    elsewhere = f"{out_of_sink}>kafka:{cluster}:another-topic".encode()
    here = f"{out_of_sink}>kafka:{cluster}:{path.source.name}".encode()
    forwarded = [
        TopicMessage(b"key", b"came from the stream", ((HEADER, here),)),
        TopicMessage(b"key", b"was made from a record of the stream", ((HEADER, elsewhere),)),
        TopicMessage(b"key", b"native"),
    ]
    write_topic(path.source.address, path.source.name, forwarded)
    async with path.mirror() as mirror:
        await mirror.until_written(2)
        await mirror.until_metric(SKIPPED, 1)
        assert await mirror.stop() == 0
    assert [record.value for record in await path.sink.records()] == [message.value for message in forwarded[1:]]


async def test_a_lost_stream_comes_back_from_its_mirror(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path, seed: int
) -> None:
    """By a mirror with ``on_loop: pass``; without it, what came from the stream is skipped."""
    lost, kept = StreamEnd(kinesis, stream(2)), TopicEnd(kafka, topic(2))
    sent = list(generate(600, KEYS, seed=seed))
    await lost.write(sent)
    async with Way(tmp_path / "there", lost, kept).mirror() as mirror:
        await mirror.until_written(len(sent))
        assert await mirror.stop() == 0
    delete_stream(kinesis, lost.name)
    create_stream(kinesis, lost.name, 2)
    async with Way(tmp_path / "skipping", kept, lost).mirror() as mirror:
        await mirror.until_metric(SKIPPED, len(sent))
        assert await mirror.stop() == 0
    assert await lost.ids_by_key() == {}
    async with Way(tmp_path / "back", kept, lost).mirror({"name": "restore", "on_loop": "pass"}) as mirror:
        await mirror.until_written(len(sent))
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await lost.ids_by_key())
    assert verdict.ok, verdict
