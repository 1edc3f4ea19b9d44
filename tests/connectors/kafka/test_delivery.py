"""What a Kafka sink writes, where, and in which order."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from random import Random
from threading import enumerate as running_threads
from typing import Literal

import pytest

from connectors.base import ORIGIN_HEADER, Clock, Header, Record
from connectors.kafka.settings import KafkaSinkSettings
from connectors.kafka.sink import KafkaSink
from tests.connectors.kafka.sending import Memory, batch_of, now_ms, numbered, sink_to
from tests.contracts.sink import SinkContract, Target
from tests.support.factories import TopicFactory
from tests.support.kafka_reader import TopicRecord, read_topic


class KafkaTarget(Target):
    def __init__(self, sink: KafkaSink, address: str, topic: str) -> None:
        self.sink = sink
        self._address = address
        self._topic = topic

    async def written(self) -> Sequence[Record]:
        return [
            Record(str(each.partition), str(each.offset), each.key, each.value, each.timestamp_ms, each.headers)
            for each in await read_topic(self._address, self._topic)
        ]


class TestKafkaSink(SinkContract):
    @pytest.fixture
    async def target(self, kafka: str, topic: TopicFactory) -> AsyncIterator[Target]:
        name = topic(partitions=3)
        async with sink_to(kafka, name) as sink:
            yield KafkaTarget(sink, kafka, name)


async def test_every_byte_of_every_column_arrives_as_it_was(kafka: str, topic: TopicFactory) -> None:
    """Empty, null, large, long, non-ASCII and random keys and values, times, headers: all are the same there."""
    name = topic(partitions=2, config={"max.message.bytes": str(2 * 1024 * 1024)})
    random = Random(20261123)
    pairs: list[tuple[bytes | None, bytes | None]] = [
        (b"empty value", b""),
        (b"", b"empty key"),
        (b"no value", None),
        (None, b"no key"),
        (b"1 MiB", random.randbytes(1024 * 1024)),
        (("ž" * 256).encode(), b"a key of 256 characters"),
        (random.randbytes(100), random.randbytes(1000)),
    ]
    batch = batch_of(pairs)
    headers: list[tuple[Header, ...]] = [(("a", b"1"), ("a", None), ("b", random.randbytes(9)))] * len(pairs)
    origins = [b"kinesis:eu-west-1:1:s/shard/%d>kafka:c:t" % number for number in range(len(pairs))]
    times = [now_ms() - 1000 * number for number in range(len(pairs))]
    sent = type(batch)(batch.partition, batch.place, batch.positions, batch.keys, batch.values, times, headers, origins)
    async with sink_to(kafka, name) as sink:
        outcome = await (await sink.begin()).submit("lane", sent)
    assert outcome.rejected == ()
    written = {(each.key, each.value, each.timestamp_ms, each.headers) for each in await read_topic(kafka, name)}
    assert written == {(each.key, each.value, each.timestamp_ms, each.headers) for each in sent.records()}


@pytest.mark.parametrize(
    ("key", "murmur2"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"abc", 479470107), (b"", 275646681)],
)
async def test_a_key_goes_to_the_partition_of_every_java_client(
    kafka: str, topic: TopicFactory, key: bytes, murmur2: int
) -> None:
    """Native producers and the bridge agree on a key's partition (Kafka's own test vectors of murmur2)."""
    name = topic(partitions=7)
    async with sink_to(kafka, name) as sink:
        await (await sink.begin()).submit("lane", batch_of([(key, b"value")]))
    (written,) = await read_topic(kafka, name)
    assert written.partition == (murmur2 & 0x7FFFFFFF) % 7


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
async def test_every_compression_is_read_by_other_clients(
    kafka: str, topic: TopicFactory, compression: Literal["none", "gzip", "snappy", "lz4", "zstd"]
) -> None:
    """What is compressed here is decompressed there."""
    name = topic(partitions=1)
    async with sink_to(kafka, name, compression=compression) as sink:
        await (await sink.begin()).submit("lane", numbered(0, 200, size=500))
    assert [each.value for each in await read_topic(kafka, name)] == list(numbered(0, 200, size=500).values)


async def test_what_compression_saves_is_observed(kafka: str, topic: TopicFactory) -> None:
    """The observer hears the bytes of the records and fewer bytes that went over the wire."""
    observer = Memory()
    settings = KafkaSinkSettings(kafka, topic(partitions=1), compression="zstd", statistics_ms=50)
    async with KafkaSink(settings, Clock(), observer) as sink:
        scope = await sink.begin()
        await scope.submit("lane", numbered(0, 2000, size=1000))
        number = 2000
        while not observer.sizes:
            await scope.submit("lane", numbered(number, 1))
            number += 1
    assert sum(before for before, _ in observer.sizes) > sum(after for _, after in observer.sizes) > 0


async def test_a_full_queue_keeps_the_order(kafka: str, topic: TopicFactory) -> None:
    """Where librdkafka holds far less than is submitted, producing waits, and nothing is lost, doubled or swapped."""
    name = topic(partitions=2, config={"max.message.bytes": "20000"})
    async with sink_to(kafka, name, buffer_bytes=40_000) as sink:
        scope = await sink.begin()
        await asyncio.gather(*(scope.submit("lane", numbered(first, 500, size=1000)) for first in range(0, 5000, 500)))
    assert_complete(await read_topic(kafka, name), 5000)


async def test_keys_beyond_memory_are_delivered_all_the_same(kafka: str, topic: TopicFactory) -> None:
    """Null keys and keys that come once are counted one by one."""
    name = topic(partitions=3)
    pairs: list[tuple[bytes | None, bytes | None]] = [
        (None if number % 3 else b"once-%d" % number, b"%d" % number) for number in range(3000)
    ]
    async with sink_to(kafka, name) as sink:
        scope = await sink.begin()
        await asyncio.gather(*(scope.submit("lane", batch_of(pairs[at : at + 300])) for at in range(0, 3000, 300)))
    assert sorted(each.value or b"" for each in await read_topic(kafka, name)) == sorted(v or b"" for _, v in pairs)


async def test_batches_without_origins_and_with_them_mix(kafka: str, topic: TopicFactory) -> None:
    """The origin is the last header where there is one, and no header is sent where there is none."""
    name = topic(partitions=1)
    plain = numbered(0, 1)
    marked = type(plain)(
        plain.partition, plain.place, plain.positions, plain.keys, plain.values, plain.timestamps_ms, None, [b"o"]
    )
    async with sink_to(kafka, name) as sink:
        scope = await sink.begin()
        await scope.submit("lane", plain)
        await scope.submit("lane", marked)
    assert [each.headers for each in await read_topic(kafka, name)] == [(), ((ORIGIN_HEADER, b"o"),)]


async def test_leaving_ends_every_thread(kafka: str, topic: TopicFactory) -> None:
    """Whether all was answered or much is on its way, no thread of the sink outlives it."""
    name = topic(partitions=1)
    async with sink_to(kafka, name) as sink:
        answers = [(await sink.begin()).submit("lane", numbered(0, 5000, size=1000)) for _ in range(4)]
    assert all(answer.done() for answer in answers)
    await asyncio.gather(*answers, return_exceptions=True)
    assert [thread.name for thread in running_threads() if name in thread.name] == []


def assert_complete(written: Sequence[TopicRecord], count: int) -> None:
    """Numbers 0 to ``count`` are there once each, those of a key in one partition and rising."""
    assert sorted(int(each.value or b"-1") for each in written) == list(range(count))
    homes: dict[bytes | None, list[TopicRecord]] = {}
    for each in written:
        homes.setdefault(each.key, []).append(each)
    for records in homes.values():
        assert len({each.partition for each in records}) == 1
        assert all(int(one.value or b"") < int(two.value or b"") for one, two in pairwise(records))


async def test_each_record_is_where_the_outcome_says(kafka: str, topic: TopicFactory) -> None:
    """For those who ask; a record that the topic cannot take is nowhere, and the others keep their places."""
    name = topic(partitions=3, config={"max.message.bytes": "2000"})
    pairs: list[tuple[bytes | None, bytes | None]] = [(b"key-%d" % (each % 7), b"%d" % each) for each in range(50)]
    pairs[20] = (b"key-6", b"x" * 5_000)
    async with sink_to(kafka, name, tells_places=True) as sink:
        scope = await sink.begin()
        outcomes = [await scope.submit("lane", batch_of(pairs)), await scope.submit("lane", batch_of(pairs[:3]))]
    there = {f"{each.partition}/{each.offset}": each.value for each in await read_topic(kafka, name)}
    told = [place for outcome in outcomes for place in outcome.places or ()]
    expected = [value for _, value in (*pairs, *pairs[:3])]
    assert [there.get(place) for place in told] == [*expected[:20], None, *expected[21:]]
    assert len(set(told)) == len(told)
