"""Both sides folded into counts and sums of ranges of positions: what is compared first, and alone while it is equal.

The sum does not depend on the order of the records, so either side may be read in whatever order it stands. It grows
with partitions and ranges, and a partition has a bounded number of ranges.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import sub

from bridge.parity.lineage import Lineage
from bridge.parity.run import Run

_FIRST_SIZE = 1_024
"""Records of a range, as long as there are not too many of them."""
MOST_RANGES = 1_024
"""Of a partition; then two become one each time."""
MOST_MET = 262_144
"""How many ranges of how many partitions of the sink are remembered where they were met."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ranges that follow each other in one origin partition, first and last included."""

    partition: str
    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1


class Ranges:
    """One origin partition at the source, which decides where its ranges end."""

    def __init__(self, most: int = MOST_RANGES) -> None:
        """``most`` is an even number."""
        self.counts: list[int] = []
        self.totals: list[int] = []
        self.firsts: list[str] = []
        """The position of each range's first record."""
        self.lasts: list[str] = []
        self.last_ranks: list[int] = []
        self.first_rank = 0
        """Of the first record of all."""
        self._most = most
        self._size = _FIRST_SIZE

    def __len__(self) -> int:
        return len(self.counts)

    def add(self, run: Run) -> None:
        """The next records of the partition."""
        begin = 0
        while begin < len(run):
            if not self.counts or self.counts[-1] >= self._size:
                self._open(run, begin)
            stop = min(len(run), begin + self._size - self.counts[-1])
            self.counts[-1] += stop - begin
            self.totals[-1] += sum(run.digests[begin:stop])
            self.lasts[-1] = run.positions[stop - 1]
            self.last_ranks[-1] = run.ranks[stop - 1]
            begin = stop

    def index(self, rank: int) -> int | None:
        """The range in which a record of that rank belongs; None for one before or behind all."""
        if not self.counts or not self.first_rank <= rank <= self.last_ranks[-1]:
            return None
        return bisect_left(self.last_ranks, rank)

    def _open(self, run: Run, index: int) -> None:
        if not self.counts:
            self.first_rank = run.ranks[index]
        elif len(self) >= self._most:
            self._halve()
        self.counts.append(0)
        self.totals.append(0)
        self.firsts.append(run.positions[index])
        self.lasts.append(run.positions[index])
        self.last_ranks.append(run.ranks[index])

    def _halve(self) -> None:
        self._size *= 2
        self.counts = [sum(self.counts[at : at + 2]) for at in range(0, len(self.counts), 2)]
        self.totals = [sum(self.totals[at : at + 2]) for at in range(0, len(self.totals), 2)]
        self.firsts, self.lasts, self.last_ranks = self.firsts[::2], self.lasts[1::2], self.last_ranks[1::2]


@dataclass(slots=True)
class _Met:
    """Where one range was met in one partition of the sink, and as the how-manieth run of the sink."""

    first: str
    first_run: int
    last: str
    last_run: int


class SinkFold:
    """What the sink holds of the ranges of a source that was read before."""

    def __init__(
        self, ranges: Mapping[str, Ranges], proven: Mapping[str, int] | None = None, most_met: int = MOST_MET
    ) -> None:
        """``ranges`` are complete: nothing is added to them any more. ``proven`` tells, of partitions that have none,
        the rank up to which they were compared earlier. ``most_met`` is a bound as ``MOST_MET``.
        """
        self._proven = proven or {}
        self.before = 0
        """Records from before the first range of their partition."""
        self.behind = 0
        """Records from behind the last one."""
        self._ranges = ranges
        self._counts = {name: [0] * len(each) for name, each in ranges.items()}
        self._totals = {name: [0] * len(each) for name, each in ranges.items()}
        self._buried = {name: [0] * len(each) for name, each in ranges.items()}
        self._further = {name: [0] * len(each) for name, each in ranges.items()}
        """Of those counted, how many are another part than the first of a record."""
        self._met: dict[tuple[str, str], dict[int, _Met]] = {}
        self._met_count = 0
        self._most_met = most_met
        self._whole: dict[str, tuple[str, str]] = {}
        """Of each partition of the sink the first and the last position at which any range was met."""
        self._runs = 0

    @property
    def count(self) -> int:
        """Records of the ranges that the sink holds something of, copies and all."""
        return sum(map(sum, self._counts.values())) - self.parts - self.buried

    @property
    def parts(self) -> int:
        """Other parts of these records than the first."""
        return sum(map(sum, self._further.values()))

    @property
    def buried(self) -> int:
        """Records of the ranges that stand somewhere else instead, each as often as that was told."""
        return sum(map(sum, self._buried.values()))

    def add(self, run: Run) -> None:
        """Records that say that they come from the source, of a partition that it has."""
        self._runs += 1
        first, _ = self._whole.get(run.place, (run.places[0], ""))
        self._whole[run.place] = (first, run.places[-1])
        indexes = [index for index, _ in self._tally(run)]
        if self._met_count <= self._most_met:
            self._meet(run, indexes)

    def bury(self, run: Run) -> None:
        """As ``add``, of records that stand somewhere else instead."""
        before, behind = self.before, self.behind
        buried = self._buried[run.partition]
        for index, count in self._tally(run):
            buried[index] += count
        self.before, self.behind = before, behind

    def letters(self, stretch: Stretch) -> int:
        """How often ``bury`` was told of records of ``stretch``."""
        return sum(self._buried[stretch.partition][stretch.first : stretch.last + 1])

    def _meet(self, run: Run, indexes: Iterable[int]) -> None:
        met = self._met.setdefault((run.partition, run.place), {})
        before = len(met)
        for index in indexes:
            here = met.setdefault(index, _Met(run.places[0], self._runs, "", 0))
            here.last, here.last_run = run.places[-1], self._runs
        self._met_count += len(met) - before
        if self._met_count > self._most_met:
            self._met.clear()

    def _tally(self, run: Run) -> list[tuple[int, int]]:
        """Count and sum up; the ranges that were concerned, and how many records of each."""
        ranges, found = self._ranges[run.partition], list[tuple[int, int]]()
        ranks, terms, parts = run.ranks, run.terms, run.parts
        if not run.rises:
            order = sorted(range(len(run)), key=ranks.__getitem__)
            ranks, terms = [ranks[index] for index in order], [terms[index] for index in order]
            parts = None if parts is None else [parts[index] for index in order]
        begin = end = bisect_right(ranks, self._proven.get(run.partition, -1))
        if len(ranges):
            begin, end = bisect_left(ranks, ranges.first_rank), bisect_right(ranks, ranges.last_ranks[-1])
        self.before += begin
        self.behind += len(run) - end
        counts, totals, further = (each[run.partition] for each in (self._counts, self._totals, self._further))
        while begin < end:
            index = bisect_left(ranges.last_ranks, ranks[begin])
            stop = bisect_right(ranks, ranges.last_ranks[index], begin, end)
            counts[index] += stop - begin
            totals[index] += sum(terms[begin:stop])
            if parts is not None:
                further[index] += sum(map(bool, parts[begin:stop]))
            found.append((index, stop - begin))
            begin = stop
        return found

    def differing(self, suspects: Mapping[str, Iterable[int]]) -> list[Stretch]:
        """The ranges whose count or sum is not that of the source, and ``suspects``, by partition and index."""
        found: list[Stretch] = []
        for name, ranges in self._ranges.items():
            firsts = map(sub, self._counts[name], self._further[name])
            beside = zip(firsts, self._totals[name], ranges.counts, ranges.totals, strict=True)
            differing = {at for at, (count, total, *own) in enumerate(beside) if [count, total] != own}
            found += [Stretch(name, at, at) for at in sorted(differing.union(suspects.get(name, ())))]
        return found

    def records(self, stretch: Stretch) -> int:
        """How many both sides have there, together."""
        at = slice(stretch.first, stretch.last + 1)
        return sum(self._counts[stretch.partition][at]) + self.expected(stretch)

    def expected(self, stretch: Stretch) -> int:
        """How many the source has there."""
        return sum(self._ranges[stretch.partition].counts[stretch.first : stretch.last + 1])

    def places(self, stretch: Stretch, origins: Lineage, sink: Lineage) -> dict[str, tuple[str, str]]:
        """From where to where each partition of the sink is to be read, first and last included.

        That is where all of ``stretch`` was met, and where what must not stand before it was met before: records from
        behind it at the source, in the same partition of the sink or in one that precedes that. Where too much was met
        to remember it, that is everywhere.
        """
        if self._met_count > self._most_met:
            return dict(self._whole)
        found: dict[str, tuple[str, str]] = {}
        inside = self._of(stretch.partition, stretch.first, stretch.last)
        later = self._of(stretch.partition, stretch.first, None)
        for descendant in origins.descendants(stretch.partition):
            for place, met in self._of(descendant, 0, None).items():
                later.setdefault(place, []).extend(met)
        needed = set(inside).union(*map(sink.ancestors, inside))
        for place in needed & later.keys():
            first = min(later[place], key=lambda met: met.first_run)
            last = max(inside.get(place, later[place]), key=lambda met: met.last_run)
            found[place] = (first.first, last.last)
        return found

    def _of(self, partition: str, first: int, last: int | None) -> dict[str, list[_Met]]:
        """Where the ranges from ``first`` to ``last`` were met, by partition of the sink."""
        found: dict[str, list[_Met]] = {}
        for (origin, place), met in self._met.items():
            if origin == partition:
                chosen = [each for index, each in met.items() if index >= first and (last is None or index <= last)]
                if chosen:
                    found[place] = chosen
        return found
