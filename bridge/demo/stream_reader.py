"""Reads the whole stream once, to see what the source really holds."""

from collections.abc import Iterator
from typing import Any

from bridge.demo.embedded_kinesis import StreamAddress
from bridge.parity.comparison import Side
from bridge.parity.entry import Entry, Identity, entry

_A_CALL = 2_000


def read_stream(address: StreamAddress) -> Side:
    """All records, shard by shard. Nobody may be writing any more: a shard ends at its first empty answer. Blocks."""
    side = Side()
    client = address.client()
    for shard in client.list_shards(StreamName=address.stream)["Shards"]:
        for found in _entries(client, address.stream, shard["ShardId"]):
            side.add(found)
    return side


def _entries(client: Any, stream: str, shard: str) -> Iterator[Entry]:
    start = client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    iterator = start["ShardIterator"]
    while iterator:
        answer = client.get_records(ShardIterator=iterator, Limit=_A_CALL)
        if not answer["Records"]:
            return
        iterator = answer.get("NextShardIterator")
        for record in answer["Records"]:
            identity = Identity(shard, record["SequenceNumber"])
            yield entry(identity, shard, record["PartitionKey"].encode(), record["Data"])
