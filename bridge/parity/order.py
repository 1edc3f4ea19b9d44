"""The order of every key in the sink, without a place for every key.

Where positions of an origin partition rise in a partition of the sink, the keys in it are in order. Where a sink
lets one key overtake another, the same holds for a *bucket* of keys: those whose hashes fall together. A record behind
a later one of its bucket is only suspected: ``comparison`` looks at its key then.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from bridge.parity.lineage import Lineage
from bridge.parity.run import Run

BUCKETS = 4_096
"""Of each partition of the sink: few enough to be many times its shards, and a power of two."""

_Furthest = dict[int, int]
"""By bucket the highest rank so far, and that of all buckets under ``_ANY``."""
_ANY = -1


class Order:
    """Follows the sink, each of its partitions in its own order, parents before children."""

    def __init__(self, origins: Lineage, buckets: int) -> None:
        """``buckets`` is a power of two: 1 where no key may overtake another."""
        self.suspected: defaultdict[str, list[int]] = defaultdict(list)
        """Ranks of records that stand behind a later one of their bucket, by origin partition."""
        self.keys: set[bytes] = set()
        """Theirs."""
        self._origins = origins
        self._mask = buckets - 1
        self._furthest: dict[str, dict[str, _Furthest]] = {}
        """By partition of the sink, then by origin partition."""

    def begin(self, place: str, parents: Iterable[str]) -> None:
        """``place`` is read next, and ``parents`` are read to their ends: their keys go on in it."""
        tables = self._furthest.setdefault(place, {})
        for parent in parents:
            for origin, furthest in self._furthest.get(parent, {}).items():
                table = tables.setdefault(origin, {})
                for bucket, rank in furthest.items():
                    table[bucket] = max(rank, table.get(bucket, rank))

    def add(self, run: Run) -> None:
        """The next records of a partition of the sink; there are some."""
        tables = self._furthest.setdefault(run.place, {})
        table = tables.setdefault(run.partition, {})
        mask = self._mask
        buckets: Sequence[int] = [hash(key) & mask for key in run.keys] if mask else [0] * len(run)
        if len(tables) > 1:
            self._look_for_descendants(run, buckets)
        furthest = table.get(_ANY, -1)
        table[_ANY] = max(furthest, run.ranks[-1] if run.rises else max(run.ranks))
        if run.rises and run.ranks[0] > furthest:
            # The last of a bucket is its furthest.
            table.update(zip(buckets, run.ranks, strict=True))
            return
        for index, (bucket, rank) in enumerate(zip(buckets, run.ranks, strict=True)):
            if rank <= table.get(bucket, -1):
                self._suspect(run, index)
            else:
                table[bucket] = rank

    def _look_for_descendants(self, run: Run, buckets: Sequence[int]) -> None:
        """What comes from a partition whose children were here before is late, whatever its position is."""
        tables = self._furthest[run.place]
        here = [tables[name] for name in self._origins.descendants(run.partition) & tables.keys()]
        if here:
            for index, bucket in enumerate(buckets):
                if any(bucket in table for table in here):
                    self._suspect(run, index)

    def _suspect(self, run: Run, index: int) -> None:
        key = run.keys[index]
        if key is not None:
            self.suspected[run.partition].append(run.ranks[index])
            self.keys.add(key)
