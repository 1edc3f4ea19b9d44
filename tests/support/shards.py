"""The shards of a stream: what they are, and how they split and merge."""

from dataclasses import dataclass
from typing import Any

from tests.support.kinesis_api import kinesis_client, stream_status
from tests.support.waiting import wait_until


@dataclass(frozen=True, slots=True, order=True)
class Shard:
    first_hash: int
    last_hash: int
    id: str


def open_shards(url: str, stream: str) -> list[Shard]:
    """Those that take records, by their range of hashes."""
    client = kinesis_client(url)
    try:
        return _open(client, stream)
    finally:
        client.close()


def split(url: str, stream: str, shard: Shard) -> None:
    """Two of equal size take its place. Returns when they take records."""
    client = kinesis_client(url)
    try:
        middle = str((shard.first_hash + shard.last_hash) // 2 + 1)
        client.split_shard(StreamName=stream, ShardToSplit=shard.id, NewStartingHashKey=middle)
        _settle(client, stream)
    finally:
        client.close()


def merge(url: str, stream: str, first: Shard, second: Shard) -> None:
    """One takes the place of two neighbours. Returns when it takes records."""
    client = kinesis_client(url)
    try:
        client.merge_shards(StreamName=stream, ShardToMerge=first.id, AdjacentShardToMerge=second.id)
        _settle(client, stream)
    finally:
        client.close()


def _open(client: Any, stream: str) -> list[Shard]:
    return sorted(
        Shard(
            int(shard["HashKeyRange"]["StartingHashKey"]), int(shard["HashKeyRange"]["EndingHashKey"]), shard["ShardId"]
        )
        for shard in client.list_shards(StreamName=stream)["Shards"]
        if "EndingSequenceNumber" not in shard["SequenceNumberRange"]
    )


def _settle(client: Any, stream: str) -> None:
    wait_until(lambda: stream_status(client, stream) == "ACTIVE", f"stream {stream} active")
