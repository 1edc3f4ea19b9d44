"""Which shard a partition key's records go to."""

from bisect import bisect_right
from hashlib import md5

from connectors.kinesis.shards import Listing, Shard
from connectors.kinesis.writing.shard_rate import ShardRate


class OpenShard:
    """A shard that takes records, and how many."""

    __slots__ = ("id", "rate")

    def __init__(self, id: str, rate: ShardRate) -> None:  # noqa: A002  # as Shard names it
        self.id = id
        self.rate = rate


class ShardMap:
    """The open shards by the hashes that belong to them. What was learned of a shard outlives a new listing."""

    def __init__(self, listing: Listing, now: float, *, limited: bool) -> None:
        """``limited``: shards have AWS's limits from the beginning, not from the first refusal."""
        self.shards: list[OpenShard] = []
        self.version = 0
        """Rises with each change of the shards."""
        self.is_stale = False
        """An answer named another shard than the one expected: it is time for another listing."""
        self._limited = limited
        self._starts: list[bytes] = []
        self.update(listing, now)

    def update(self, listing: Listing, now: float) -> None:
        """Go by ``listing`` from now on."""
        self.is_stale = False
        opened = sorted((each for each in listing.values() if not each.closed), key=_first_hash)
        if [each.id for each in opened] == [each.id for each in self.shards]:
            return
        known = {each.id: each for each in self.shards}
        limited = self._limited or any(each.rate.limited for each in self.shards)
        self.shards = [known.get(each.id) or OpenShard(each.id, ShardRate(now, limited=limited)) for each in opened]
        self._starts = [each.first_hash.to_bytes(16, "big") for each in opened]
        self.version += 1

    def index(self, partition_key: str) -> int:
        """The shard of ``partition_key``, as an index of ``shards``."""
        digest = md5(partition_key.encode(), usedforsecurity=False).digest()
        return max(0, bisect_right(self._starts, digest) - 1)

    @property
    def is_limited(self) -> bool:
        """Whether any shard has a limit that is known: only then it matters where a record goes."""
        return any(shard.rate.limited for shard in self.shards)

    @property
    def bytes_per_s(self) -> float | None:
        """What all shards take together; None where one has no limit."""
        if not all(shard.rate.limited for shard in self.shards):
            return None
        return sum(shard.rate.bytes_per_s for shard in self.shards)


def _first_hash(shard: Shard) -> int:
    return shard.first_hash
