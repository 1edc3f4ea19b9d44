"""From Kafka through Kinesis into Kafka: records of every shape come back as they were."""

import gzip
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest

from tests.support.ends import TopicEnd
from tests.support.factories import TopicFactory
from tests.support.kafka_reader import TopicRecord
from tests.support.origins import HEADER
from tests.support.route import Route
from tests.support.stream_reader import StreamRecord
from tests.support.topic_writer import Headers, TopicMessage, write_topic
from tests.support.way import IntoKinesisFactory

PARTITIONS = 4
ANY_TIME = {"message.timestamp.after.max.ms": str(2**63 - 1), "max.message.bytes": str(2 * 1024 * 1024)}
"""Brokers refuse times in the future otherwise."""

Shape = tuple[int, bytes | None, bytes | None, int, Headers]
"""Partition, key, value, time and headers: all that a consumer sees of a record but its offset."""


@pytest.mark.parametrize(
    ("codec", "compression", "count"),
    [
        pytest.param("kpl", "zstd", 300, id="small-kpl"),
        pytest.param("envelope", "gzip", 300, id="small-envelope"),
        pytest.param("kpl", "none", 20_000, id="full-kpl", marks=pytest.mark.long),
        pytest.param("kpl", "gzip", 20_000, id="full-kpl-gzip", marks=pytest.mark.long),
        pytest.param("envelope", "none", 20_000, id="full-envelope", marks=pytest.mark.long),
        pytest.param("envelope", "zstd", 20_000, id="full-envelope-zstd", marks=pytest.mark.long),
    ],
)
async def test_every_record_comes_back_as_it_was(
    into_kinesis: IntoKinesisFactory,
    topic: TopicFactory,
    tmp_path: Path,
    draw: Random,
    *,
    codec: str,
    compression: str,
    count: int,
) -> None:
    """Keys, values, headers and times, each key in its order and its partition; only the two hops are new."""
    there = into_kinesis(partitions=PARTITIONS, config=ANY_TIME)
    back = Route(tmp_path / "back", there.sink, TopicEnd(there.source.address, topic(PARTITIONS, ANY_TIME)))
    write_topic(there.source.address, there.source.name, _messages(draw, count))
    sent = await there.source.records()
    async with (
        there.mirror({"sink": {"kinesis": {"codec": codec, "compression": compression}}}) as outward,
        back.mirror() as homeward,
    ):
        await outward.until_written(len(sent))
        await homeward.until_written(len(sent))
        assert await outward.stop() == 0
        assert await homeward.stop() == 0
    arrived = await back.records()
    assert _keyed(map(_without_hops, arrived)) == _keyed(map(_shape, sent))
    assert _loose(map(_without_hops, arrived)) == _loose(map(_shape, sent))
    assert all(_systems(record.headers) == [b"kafka", b"kinesis"] for record in arrived)
    # The stream is as docs/codecs.md has it, for those who read it without us.
    between = await there.sink.records()
    assert Counter(map(_told, between)) == Counter(map(_content, sent))
    assert all(_systems(record.headers) == [b"kafka"] for record in between)


def _messages(draw: Random, count: int) -> list[TopicMessage]:
    """Those that a format might trip over, then mixtures of all that they are made of."""
    keys = [None, b"", b"k", b"k" * 256, b"k" * 300, "\u00e4".encode() * 300, b"\xff\x00\xfe", b"kmbridge-null:0/0"]
    values = [None, b"", b"text", "\u5024".encode(), b"\x00\xff", bytes(2_000), draw.randbytes(2_000), b"text" * 9_000]
    values += [b"\xf3\x89\x9a\xc2" + bytes(40), b'{"kmbridge":1,"timestamp":0,"key":null,"value":null}']
    values += [gzip.compress(b"compressed before" * 90), draw.randbytes(700_000)]
    headers: list[Headers] = [
        (),
        (("a", b"1"),),
        (("a", b"1"), ("b", None), ("a", b"2"), ("a", b"1")),
        (("", b""), ("binary", b"\xff\xfe"), ("\u00e4:/>#\n", "\u00e4".encode())),
        (("kmbridge-timestamp", b"1"), ("kmbridge-key", None), ("kmbridge-h:a", b"x"), ("kmbridge", b"\x80")),
    ]
    times = [0, 1, 1_795_490_498_123, 253_402_300_799_999]
    each = [TopicMessage(key, b"key", (), times[2]) for key in keys]
    each += [TopicMessage(b"k", value, (), times[2]) for value in values]
    each += [TopicMessage(b"k", b"headers", some, times[2]) for some in headers]
    each += [TopicMessage(b"k", b"time", (), time) for time in times]
    each += [
        TopicMessage(draw.choice(keys), draw.choice(values[:-1]), draw.choice(headers), draw.choice(times))
        for _ in range(count)
    ]
    return each


def _shape(record: TopicRecord) -> Shape:
    return record.partition, record.key, record.value, record.timestamp_ms, record.headers


def _without_hops(record: TopicRecord) -> Shape:
    headers = tuple(header for header in record.headers if header[0] != HEADER)
    return record.partition, record.key, record.value, record.timestamp_ms, headers


def _content(record: TopicRecord) -> tuple[object, ...]:
    return _shape(record)[1:]


def _told(record: StreamRecord) -> tuple[object, ...]:
    """What the stream tells of a record, but for its hop."""
    headers = tuple(header for header in record.headers if header[0] != HEADER)
    return record.key, record.value, record.timestamp_ms, headers


def _keyed(shapes: Iterable[Shape]) -> dict[bytes, list[Shape]]:
    """Each key's records in their order."""
    found: dict[bytes, list[Shape]] = {}
    for shape in shapes:
        if shape[1] is not None:
            found.setdefault(shape[1], []).append(shape)
    return found


def _loose(shapes: Iterable[Shape]) -> Counter[tuple[object, ...]]:
    """The records without a key, which have no order among themselves, nor a partition."""
    return Counter(shape[2:] for shape in shapes if shape[1] is None)


def _systems(headers: Headers) -> list[bytes]:
    """Where a record was before it came here, oldest first."""
    return [(value or b"").partition(b":")[0] for name, value in headers if name == HEADER]
