"""Splits and merges of shards that chance chooses."""

from random import Random

from tests.support.ends import StreamEnd
from tests.support.shards import merge, open_shards, split


def split_one(end: StreamEnd, draw: Random) -> None:
    split(end.url, end.name, draw.choice(open_shards(end.url, end.name)))


def merge_two(end: StreamEnd, draw: Random) -> None:
    """Two neighbours, often those of the last split and often not."""
    shards = open_shards(end.url, end.name)
    first = draw.randrange(len(shards) - 1)
    merge(end.url, end.name, shards[first], shards[first + 1])


def shard_ids(end: StreamEnd) -> set[str]:
    """Those that take records."""
    return {shard.id for shard in open_shards(end.url, end.name)}
