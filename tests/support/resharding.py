"""Splits and merges of shards that chance chooses."""

from random import Random

from tests.support.route import Route
from tests.support.shards import merge, open_shards, split


def split_one(path: Route, draw: Random) -> None:
    split(path.kinesis, path.stream, draw.choice(open_shards(path.kinesis, path.stream)))


def merge_two(path: Route, draw: Random) -> None:
    """Two neighbours, often those of the last split and often not."""
    shards = open_shards(path.kinesis, path.stream)
    first = draw.randrange(len(shards) - 1)
    merge(path.kinesis, path.stream, shards[first], shards[first + 1])


def shard_ids(path: Route) -> set[str]:
    """Those that take records."""
    return {shard.id for shard in open_shards(path.kinesis, path.stream)}
