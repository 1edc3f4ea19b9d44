"""The proxy before Kinesis passes on, counts and harms as it is told."""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.support.factories import StreamFactory
from tests.support.kinesis_api import kinesis_session
from tests.support.kinesis_proxy import Fault, KinesisProxy, most_reads
from tests.support.kinesis_writer import write_records
from tests.support.records import generate
from tests.support.stream_reader import read_entries


@pytest.fixture
def proxy(kinesis: str) -> Iterator[KinesisProxy]:
    with KinesisProxy(kinesis) as running:
        yield running


async def test_reads_are_counted_by_shard(proxy: KinesisProxy, stream: StreamFactory) -> None:
    """With their records and bytes, also across iterators."""
    name = stream(shards=1)
    sent = list(generate(100, 20))
    await write_records(proxy.address, name, sent)
    async with kinesis_session(proxy.address) as client:
        shard = (await client.list_shards(StreamName=name))["Shards"][0]["ShardId"]
        iterator = await _first_iterator(client, name, shard)
        for _ in range(3):
            iterator = (await client.get_records(ShardIterator=iterator, Limit=40))["NextShardIterator"]
    assert [read.records for read in proxy.reads[shard]] == [40, 40, 20]
    assert sum(read.size for read in proxy.reads[shard]) == sum(len(r.value(0)) + len(r.key) for r in sent)
    assert most_reads(proxy.reads[shard], 60) == 3
    assert most_reads(proxy.reads[shard], 1e-9) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault.THROTTLED, ClientError),
        (Fault.REFUSED, ClientError),
        (Fault.DENIED, ClientError),
        (Fault.FAILED, ClientError),
        (Fault.CUT, ConnectionClosedError),
        (Fault.CUT_ANSWER, ConnectionClosedError),
        (Fault.FAILED_AFTER, ClientError),
    ],
)
async def test_harm_befalls_the_calls_chosen(
    proxy: KinesisProxy, stream: StreamFactory, fault: Fault, error: type[Exception]
) -> None:
    """And no other."""
    name = stream(shards=1)
    async with kinesis_session(proxy.address) as client:
        shard = (await client.list_shards(StreamName=name))["Shards"][0]["ShardId"]
        iterator = await _first_iterator(client, name, shard)
        proxy.judge = lambda call: fault if call.operation == "GetRecords" else None
        with pytest.raises(error):
            await client.get_records(ShardIterator=iterator)
        proxy.judge = lambda _: None
        await client.get_records(ShardIterator=iterator)
    assert [read.fault for read in proxy.reads[shard]] == [fault, None]


async def test_entries_fail_one_by_one(proxy: KinesisProxy, stream: StreamFactory) -> None:
    """The others of their call are in the stream, and each answer stands in its entry's place."""
    name = stream(shards=1)
    fails = cycle([True, False, False])
    proxy.judge_entry = lambda _: "InternalFailure" if next(fails) else None
    async with kinesis_session(proxy.address) as client:
        entries = [{"PartitionKey": f"k{number}", "Data": b"%d" % number} for number in range(6)]
        answer = await client.put_records(StreamName=name, Records=entries)
    assert answer["FailedRecordCount"] == 2
    assert ["ErrorCode" in result for result in answer["Records"]] == [True, False, False] * 2
    assert [entry.data for entry in await read_entries(proxy.address, name)] == [b"1", b"2", b"4", b"5"]


@pytest.mark.parametrize("fault", [Fault.CUT_ANSWER, Fault.SWALLOWED, Fault.FAILED_AFTER])
async def test_what_was_written_without_an_answer_is_noted(
    proxy: KinesisProxy, stream: StreamFactory, fault: Fault
) -> None:
    """It is in the stream."""
    name = stream(shards=1)
    proxy.judge = lambda call: fault if call.operation == "PutRecords" else None
    async with kinesis_session(proxy.address) as client:
        with pytest.raises((ClientError, ConnectionClosedError)):
            await client.put_records(StreamName=name, Records=[{"PartitionKey": "k", "Data": b"data"}])
    assert proxy.swallowed == [("k", b"data")]
    assert [(entry.key, entry.data) for entry in await read_entries(proxy.address, name)] == proxy.swallowed


async def _first_iterator(client: Any, stream: str, shard: str) -> str:
    answer = await client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    iterator: str = answer["ShardIterator"]
    return iterator
