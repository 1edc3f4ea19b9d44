"""The order of every key in the sink, with a bounded number of places for keys.

Where positions of an origin partition rise in a partition of the sink, the keys in it are in order. Where a sink lets
one key overtake another, each key is followed by itself; when there are too many for that, keys whose hashes fall
together share a *bucket*. A record behind a later one of its bucket is only suspected: ``comparison`` looks at its key.
"""

from collections.abc import Callable, Iterable, Sequence

from bridge.parity.lineage import Lineage
from bridge.parity.run import Run

MOST_PLACES = 262_144
"""That are followed at a time, of all partitions together."""
_EVERY_KEY = (1 << 62) - 1
_ANY = -1

Suspect = Callable[[str, int, bytes], None]
"""Takes origin partition, rank and key of a record that stands behind a later one of its bucket."""

_Furthest = dict[int, int]
"""By bucket the highest rank so far, and that of all buckets under ``_ANY``."""


class Order:
    """Follows the sink, each of its partitions in its own order, parents before children."""

    def __init__(self, origins: Lineage, suspect: Suspect, *, by_key: bool, most: int = MOST_PLACES) -> None:
        """``by_key`` says that a key may overtake another in the sink. ``most`` places are followed, or two for each
        pair of partitions.
        """
        self._suspect_one = suspect
        self._origins = origins
        self._mask = _EVERY_KEY if by_key else 0
        self._most = most
        self._count = 0
        """Places that are followed."""
        self._furthest: dict[str, dict[str, _Furthest]] = {}
        """By partition of the sink, then by origin partition."""

    def begin(self, place: str, parents: Iterable[str]) -> None:
        """``place`` is read next, and ``parents`` are read to their ends: their keys go on in it."""
        tables = self._furthest.setdefault(place, {})
        for parent in parents:
            for origin, furthest in self._furthest.get(parent, {}).items():
                table = tables.setdefault(origin, {})
                before = len(table)
                _put_together(table, furthest.items())
                self._count += len(table) - before

    def add(self, run: Run) -> None:
        """The next records of a partition of the sink; there are some."""
        tables = self._furthest.setdefault(run.place, {})
        table = tables.setdefault(run.partition, {})
        mask, order, before = self._mask, run.order, len(table)
        buckets: Sequence[int] = [hash(key) & mask for key in run.keys] if mask else [0] * len(run)
        if len(tables) > 1:
            self._look_for_descendants(run, buckets)
        furthest = table.get(_ANY, _ANY)
        table[_ANY] = max(furthest, order[-1] if run.rises else max(order))
        if run.rises and order[0] > furthest:
            # The last of a bucket is its furthest.
            table.update(zip(buckets, order, strict=True))
        else:
            for index, (bucket, place) in enumerate(zip(buckets, order, strict=True)):
                if place <= table.get(bucket, _ANY):
                    self._suspect(run, index)
                else:
                    table[bucket] = place
        self._count += len(table) - before
        if mask and self._count > self._most:
            self._stay_small()

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
            self._suspect_one(run.partition, run.ranks[index], key)

    def _stay_small(self) -> None:
        """Let more keys share a bucket until there are few enough buckets."""
        while self._mask and self._count > self._most:
            # From where each key has its own, at once to about as many as there may be.
            self._mask = min(self._mask >> 1, self._most - 1)
            for tables in self._furthest.values():
                for origin, table in tables.items():
                    furthest = table.pop(_ANY)
                    tables[origin] = {_ANY: furthest}
                    _put_together(tables[origin], ((bucket & self._mask, rank) for bucket, rank in table.items()))
            self._count = sum(len(table) for tables in self._furthest.values() for table in tables.values())


def _put_together(table: _Furthest, others: Iterable[tuple[int, int]]) -> None:
    for bucket, rank in others:
        table[bucket] = max(rank, table.get(bucket, rank))
