"""The source against a real Kinesis server."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from random import Random
from typing import Any

import pytest

from bridge.engine.budget import ByteBudget
from connectors.base import Clock, Observer, Partition, Place, Record, RefusedError, Source
from connectors.kinesis.polling import KinesisSource
from connectors.kinesis.settings import KinesisSourceSettings
from tests.connectors.codecs.aggregates import aggregate
from tests.connectors.kinesis.fake import CountingObserver
from tests.connectors.kinesis.reading import BUDGET, records, values
from tests.support.factories import OwnKinesis, StreamFactory
from tests.support.kinesis_api import REGION, create_stream, kinesis_client, kinesis_session
from tests.support.kinesis_writer import write_records
from tests.support.records import Stamp, generate, ids_by_key

_PATIENCE_S = 60
_MIDDLE = str(2**126)


@asynccontextmanager
async def source_of(url: str, stream: str, **settings: Any) -> AsyncIterator[KinesisSource]:
    """A source without the limits that this server does not have, polling often."""
    told = KinesisSourceSettings(stream, REGION, url, read_share=20.0, poll_interval_s=0.1, **settings)
    async with asyncio.timeout(_PATIENCE_S), KinesisSource(told, Clock(), Random(1), Observer()) as source:
        yield source


async def _active(client: Any, name: str) -> None:
    """Wait until a reshard is done."""
    while True:
        summary = (await client.describe_stream_summary(StreamName=name))["StreamDescriptionSummary"]
        if summary["StreamStatus"] == "ACTIVE":
            return
        await asyncio.sleep(0.02)


async def read_lineage(source: Source, count: int) -> list[Record]:
    """``count`` records of all shards, each shard read when its parents are finished."""
    found: list[Record] = []
    finished: set[str] = set()
    moved = asyncio.Event()

    async def read(partition: Partition) -> None:
        async with aclosing(source.read(partition, Place(), ByteBudget(BUDGET))) as reading:
            async for batch in reading:
                found.extend(batch.records())
                batch.release()
                moved.set()
        finished.add(partition.id)
        moved.set()

    listed: Sequence[Partition] = ()

    async def follow() -> None:
        nonlocal listed
        async for partitions in source.partitions():
            listed = partitions
            moved.set()

    async with asyncio.TaskGroup() as tasks:
        running = {"": tasks.create_task(follow())}
        while len(found) < count:
            await moved.wait()
            moved.clear()
            for each in listed:
                if each.id not in running and finished.issuperset(each.parents):
                    running[each.id] = tasks.create_task(read(each))
        for task in running.values():
            task.cancel()
    return found


async def test_every_record_is_read_once_and_in_order_through_splits_and_merges(
    kinesis: str, stream: StreamFactory
) -> None:
    """A stream that is split and merged while it is written and read loses, doubles and swaps nothing."""
    name = stream(2)
    sent = list(generate(6_000, 100, seed=3))
    async with kinesis_session(kinesis) as client, source_of(kinesis, name) as source:

        async def write() -> None:
            await write_records(kinesis, name, sent[:2_000])
            await client.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=_MIDDLE)
            await _active(client, name)
            await write_records(kinesis, name, sent[2_000:4_000])
            await client.merge_shards(
                StreamName=name, ShardToMerge="shardId-000000000003", AdjacentShardToMerge="shardId-000000000001"
            )
            await _active(client, name)
            await write_records(kinesis, name, sent[4_000:])

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(write())
            reading = tasks.create_task(read_lineage(source, len(sent)))
        found: dict[bytes, list[int]] = {}
        for record in reading.result():
            assert record.key is not None
            assert record.value is not None
            found.setdefault(record.key, []).append(Stamp.of(record.value).id)
    assert found == ids_by_key(sent)


async def test_iterators_that_live_a_second_lose_nothing(own_kinesis: OwnKinesis) -> None:
    """A consumer slower than an iterator's life gets each record once, in order."""
    server = own_kinesis(iterator_ttl_seconds=1)
    create_stream(server.address, "slow", 1)
    async with kinesis_session(server.address) as client:
        for number in range(300):
            await client.put_record(StreamName="slow", PartitionKey="k", Data=b"%d" % number)
    observer = CountingObserver()
    settings = KinesisSourceSettings("slow", REGION, server.address, read_share=20.0)
    found: list[bytes | None] = []
    async with KinesisSource(settings, Clock(), Random(1), observer) as source:
        partition = Partition("shardId-000000000000")
        async with aclosing(source.read(partition, Place(), ByteBudget(BUDGET))) as reading:
            async for batch in reading:
                found += batch.values
                batch.release()
                if len(found) == 300:
                    break
                # The stall is what is tested: it outlasts the iterator.
                await asyncio.sleep(1.2)
    assert found == [b"%d" % number for number in range(300)]
    assert observer.retries["GetRecords", "iterator"] > 0


async def test_latest_reads_only_what_comes_later(kinesis: str, stream: StreamFactory) -> None:
    """Also after a restart before the first record, and although this server then offers the whole shard."""
    name = stream(1)
    async with kinesis_session(kinesis) as client, source_of(kinesis, name, start="latest") as source:
        await client.put_record(StreamName=name, PartitionKey="k", Data=b"old")
        [partition] = await anext(aiter(source.partitions()))
        [old] = await records(source, partition.id, Place(), 1)
        place = (await source.start([partition]))[partition.id]
        # Arrival stamps of this server are whole seconds, so "later" begins with the next one.
        while (place.watermark_ms or 0) <= old.timestamp_ms:
            await asyncio.sleep(0.05)
            place = (await source.start([partition]))[partition.id]
        reading = asyncio.create_task(values(source, partition.id, place, 1))
        await client.put_record(StreamName=name, PartitionKey="k", Data=b"new")
        assert await reading == [b"new"]
        assert await values(source, partition.id, place, 1) == [b"new"]


async def test_a_stream_can_be_named_by_its_arn(kinesis: str, stream: StreamFactory) -> None:
    """The ARN finds it where an endpoint is given, too."""
    name = stream(1)
    async with kinesis_session(kinesis) as client:
        summary = (await client.describe_stream_summary(StreamName=name))["StreamDescriptionSummary"]
        await client.put_record(StreamName=name, PartitionKey="k", Data=b"one")
    async with source_of(kinesis, summary["StreamARN"]) as source:
        [partition] = await anext(aiter(source.partitions()))
        assert await values(source, partition.id, Place(), 1) == [b"one"]
        assert source.address.endswith(f":{name}")


async def test_keys_and_data_come_as_they_were_put(kinesis: str, stream: StreamFactory) -> None:
    """Empty and large data, long keys, keys beyond ASCII, random bytes."""
    name = stream(1)
    noise = Random(5).randbytes(1024 * 1024 - 300)
    puts = [("k", b""), ("ключ-鍵-🔑", b"x"), ("k" * 256, noise), ('"\\\n', bytes(range(256)))]
    client = kinesis_client(kinesis)
    for key, data in puts:
        await asyncio.to_thread(client.put_record, StreamName=name, PartitionKey=key, Data=data)
    client.close()
    async with source_of(kinesis, name) as source:
        [partition] = await anext(aiter(source.partitions()))
        found = await records(source, partition.id, Place(), len(puts))
    assert [(record.key, record.value) for record in found] == [(key.encode(), data) for key, data in puts]


async def test_a_restart_inside_an_aggregate_neither_loses_nor_doubles(kinesis: str, stream: StreamFactory) -> None:
    """Every position within and around aggregates resumes exactly behind itself."""
    name = stream(1)
    async with kinesis_session(kinesis) as client, source_of(kinesis, name) as source:
        for group in range(3):
            packed = aggregate([(b"k", b"%d-%d" % (group, sub)) for sub in range(4)])
            await client.put_record(StreamName=name, PartitionKey="a", Data=packed)
            await client.put_record(StreamName=name, PartitionKey="k", Data=b"%d" % group)
        [partition] = await anext(aiter(source.partitions()))
        found = await records(source, partition.id, Place(), 15)
        everything = [record.value for record in found]
        for index, record in enumerate(found[:-1]):
            after = Place(record.position, record.timestamp_ms)
            assert await values(source, partition.id, after, 14 - index) == everything[index + 1 :]


async def test_a_stream_that_does_not_exist_is_told(kinesis: str) -> None:
    """The message names the stream, the address and what to check."""
    with pytest.raises(RefusedError, match="nowhere") as refused:
        async with source_of(kinesis, "nowhere"):
            pass
    assert kinesis in refused.value.operation
    assert "region" in refused.value.hint
