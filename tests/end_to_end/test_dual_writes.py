"""An application's dual writes, between real servers."""

import asyncio
from pathlib import Path

import pytest

from bridge.migration.dual_write import DualWriter, DualWriteSettings, KafkaTarget, KinesisTarget, Target, Written
from connectors.codecs.catalogue import CodecName
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.kinesis_api import REGION
from tests.support.records import TestRecord, generate, ids_by_key
from tests.support.verifying import verified, written

PAIRS = ["kafka to kinesis", "kinesis to kafka", "kafka to kafka", "kinesis to kinesis"]


def target(end: End, codec: CodecName = "kpl") -> Target:
    """``end`` as an application names it."""
    if isinstance(end, TopicEnd):
        return KafkaTarget(end.address, end.name)
    assert isinstance(end, StreamEnd)
    return KinesisTarget(end.name, REGION, end.url, codec=codec)


async def send(writer: DualWriter, record: TestRecord) -> Written:
    return await writer.send(record.key.encode(), record.value(0), headers=[("number", b"%d" % record.number)])


class Ends:
    def __init__(self, kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory) -> None:
        self._kinesis, self._kafka, self._stream, self._topic = kinesis, kafka, stream, topic

    def pair(self, name: str) -> tuple[End, End]:
        first, _, second = name.partition(" to ")
        return self._made(first), self._made(second)

    def _made(self, system: str) -> End:
        if system == "kinesis":
            return StreamEnd(self._kinesis, self._stream(3))
        return TopicEnd(self._kafka, self._topic(4))


@pytest.fixture
def ends(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory) -> Ends:
    return Ends(kinesis, kafka, stream, topic)


@pytest.mark.parametrize("pair", PAIRS)
async def test_both_ends_hold_the_same(ends: Ends, tmp_path: Path, pair: str) -> None:
    """Each record is at the place that ``send`` returned, each key in order at both ends, and verify says so."""
    authority, shadow = ends.pair(pair)
    settings = DualWriteSettings("orders", target(authority), target(shadow), tmp_path / "spool.db", close_s=60)
    sent = list(generate(2_000, 50))
    async with DualWriter(settings) as writer:
        answers = await asyncio.gather(*(send(writer, record) for record in sent))
    assert await authority.ids_by_key() == ids_by_key(sent)
    assert await shadow.ids_by_key() == ids_by_key(sent)
    assert len({answer.place for answer in answers} - {""}) == len(sent)
    verdict = await verified(written(tmp_path, authority, shadow, {"provenance": "never"}))
    assert (verdict.code, verdict.found, verdict.document["sink_records"]) == (0, {}, len(sent))
