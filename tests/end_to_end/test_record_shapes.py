"""Keys and values as they come: empty, huge, long, in any script, of any bytes."""

import asyncio
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from aiokafka.partitioner import murmur2

from tests.support.kafka_reader import TopicRecord
from tests.support.kinesis_api import REGION, kinesis_client, kinesis_session
from tests.support.origins import Origin
from tests.support.route import Route, RouteFactory
from tests.support.shards import open_shards

MIB = 1024 * 1024
PARTITIONS = 4
LARGE_MESSAGES = {"max.message.bytes": str(2 * MIB)}


@dataclass(frozen=True, slots=True)
class Put:
    """A record in the stream, and where the server says that it is."""

    key: str
    data: bytes
    shard: str
    sequence: int


@pytest.mark.parametrize(
    ("count", "large"), [pytest.param(200, 2, id="small"), pytest.param(4_000, 40, id="full", marks=pytest.mark.long)]
)
async def test_every_record_arrives_as_it_is(
    route: RouteFactory, seed: int, draw: Random, count: int, large: int
) -> None:
    """Byte for byte, in its key's order, at its time, where every client looks for its key, with its origin."""
    path = route(partitions=PARTITIONS, config=LARGE_MESSAGES)
    put = await asyncio.to_thread(_put_all, path, _shapes(draw, count, large))
    async with path.mirror() as mirror:
        await mirror.until_written(len(put))
        assert await mirror.stop() == 0
    arrived = await path.records()
    assert _by_key((record.key, record.value) for record in arrived) == _by_key((p.key.encode(), p.data) for p in put)
    assert [record.partition for record in arrived] == [_home(record.key or b"") for record in arrived]
    _judge_origins(path, put, arrived)
    times = await _arrival_times(path)
    assert {_place(record): record.timestamp_ms for record in arrived} == times


def _shapes(draw: Random, count: int, large: int) -> list[tuple[str, bytes]]:
    """Named ones first, among them data that begins like an aggregate; then random ones, then large ones."""
    named = [
        ("empty", b""),
        ("k", b"one letter"),
        ("k" * 256, b"the longest key"),
        # AWS counts letters, ferrokinesis the bytes of UTF-8.
        ("\U0001f40e" * 64, b"the longest key there, four bytes a letter"),
        ("Schl\u00fcssel", b"umlaut"),
        ("e\u0301", b"combined"),
        ("\u00e9", b"precomposed"),
        ("\u30ad\u30fc \u05de\u05e4\u05ea\u05d7", "\u5024".encode()),
        (" >/#\t\r\n\x00", b"what a format might trip over"),
        ("aggregate-like", b"\xf3\x89\x9a\xc2"),
        ("aggregate-like", b"\xf3\x89\x9a\xc2" + bytes(40)),
        ("empty", b""),
        ("zeros", bytes(1000)),
    ]
    keys = [f"key-{draw.randrange(10**9)}-\u00e4" for _ in range(40)]
    random = [(draw.choice(keys), draw.randbytes(draw.randrange(2_000))) for _ in range(count)]
    huge = [(draw.choice(keys), draw.randbytes(MIB)) for _ in range(large)]
    shapes = named + random + huge
    draw.shuffle(shapes)
    return shapes


def _put_all(path: Route, shapes: list[tuple[str, bytes]]) -> list[Put]:
    put: list[Put] = []
    client = kinesis_client(path.kinesis)
    try:
        for key, data in shapes:
            answer = client.put_record(StreamName=path.stream, PartitionKey=key, Data=data)
            put.append(Put(key, data, answer["ShardId"], int(answer["SequenceNumber"])))
    finally:
        client.close()
    return put


def _by_key(pairs: Any) -> dict[bytes, list[bytes]]:
    found: dict[bytes, list[bytes]] = {}
    for key, value in pairs:
        found.setdefault(key, []).append(value)
    return found


def _home(key: bytes) -> int:
    """The partition that every Java client chooses."""
    return int(murmur2(key) & 0x7FFFFFFF) % PARTITIONS


def _place(record: TopicRecord) -> tuple[str, int]:
    origin = Origin.of(record)
    return origin.shard, origin.place[0]


def _judge_origins(path: Route, put: list[Put], arrived: list[TopicRecord]) -> None:
    """Each names the shard and the sequence number that the server gave its record, and both ends."""
    expected = {(p.shard, p.sequence): (p.key.encode(), p.data) for p in put}
    assert {_place(record): (record.key, record.value) for record in arrived} == expected
    ends = {(origin.region, origin.stream, origin.topic) for origin in map(Origin.of, arrived)}
    assert ends == {(REGION, path.stream, path.topic)}


async def _arrival_times(path: Route) -> dict[tuple[str, int], int]:
    times: dict[tuple[str, int], int] = {}
    async with kinesis_session(path.kinesis) as client:
        for shard in open_shards(path.kinesis, path.stream):
            answer = await client.get_shard_iterator(
                StreamName=path.stream, ShardId=shard.id, ShardIteratorType="TRIM_HORIZON"
            )
            iterator = answer["ShardIterator"]
            while records := (answer := await client.get_records(ShardIterator=iterator))["Records"]:
                for record in records:
                    arrived = record["ApproximateArrivalTimestamp"]
                    times[shard.id, int(record["SequenceNumber"])] = round(arrived.timestamp() * 1000)
                iterator = answer["NextShardIterator"]
    return times
