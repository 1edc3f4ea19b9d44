"""Two sides compared by the origin that every mirrored record carries, in two passes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.parity.comparison import Comparison, Scope
from bridge.parity.digest import rank
from bridge.parity.expected import DUPLICATE, Ends
from bridge.parity.first_copies import Brought, FirstCopies
from bridge.parity.fold import Stretch
from bridge.parity.order import Order
from bridge.parity.passes import (
    DEAD_LETTER,
    Earlier,
    LetterFolder,
    SinkFolder,
    SinkRereader,
    SourceFolder,
    SourceRereader,
    most_ranges,
)
from bridge.parity.reading import Extent, Reader, Side
from bridge.parity.report import Findings, Identity, Kind, ParityReport
from connectors.base import End, Partition, Place

_AT_ONCE = 100_000
"""Records of both sides that the second pass remembers at a time, and those of one range on top."""

Letters = Callable[[Reader], Awaitable[None]]
"""Hands all that a dead letter holds to a reader."""


@dataclass(frozen=True, slots=True)
class Parity:
    """What is compared, and by which rules."""

    source: Side
    sink: Side
    ends: Ends
    keys_overtake: bool
    """Whether a key may come before another in the sink that it came after at the source."""
    permits_copies: bool
    letters: Letters | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """How far both sides are compared, for a comparison that goes on behind that."""

    source: Mapping[str, Place] = field(default_factory=dict)
    """From where each partition is to be read next; likewise below."""
    source_finished: frozenset[str] = frozenset()
    """Partitions of which nothing is left."""
    proven: Mapping[str, int] = field(default_factory=dict)
    """Of each origin partition the rank of the last record compared."""
    windows: Mapping[str, str] = field(default_factory=dict)
    """As ``Expected`` takes them."""
    sink: Mapping[str, Place] = field(default_factory=dict)
    sink_finished: frozenset[str] = frozenset()
    judged: Mapping[str, Place] = field(default_factory=dict)
    """Up to where records from elsewhere are judged, by partition of the sink."""


@dataclass(frozen=True, slots=True)
class Proof:
    report: ParityReport
    reached: Reached


async def compare_by_origin(
    parity: Parity, source: Extent, sink: Callable[[], Awaitable[Extent]], before: Reached | None = None
) -> Proof:
    """Compare ``source`` with all of ``sink``, whose extent is asked for when the source is read.

    ``before`` is how far an earlier comparison came, whose extents these follow. Raises as reading.
    """
    # Where the sink's own records stand at the source, before, in or behind a part of it, nothing tells.
    ends = replace(parity.ends, is_partial=not source.follows, judges_natives=source.is_whole)
    return await _ByOrigin(replace(parity, ends=ends), before or Reached()).compare(source, sink)


class _ByOrigin:
    def __init__(self, parity: Parity, before: Reached) -> None:
        self._parity = parity
        self._before = before
        self._findings = Findings()
        self._doubtful: dict[Brought, Identity] = {}
        """What is missing, unless it is a second copy."""
        self._copies = 0
        """Those that are."""

    async def compare(self, source: Extent, sink: Callable[[], Awaitable[Extent]]) -> Proof:
        parity, before = self._parity, self._before
        places = await parity.sink.listed()
        folded = SourceFolder(parity.ends, most_ranges(len(source.partitions), len(places)), before.windows)
        finished = await parity.source.read(source, folded)
        order = Order(folded.lineage, by_key=parity.keys_overtake)
        earlier = Earlier(before.proven, before.judged)
        arrived = SinkFolder(folded, parity.sink.source, parity.ends, order, self._findings, earlier)
        extent = await sink()
        # What the sink holds by now of a partition that came meanwhile was written behind the source's ranges.
        for partition in await parity.source.listed():
            if partition.id not in folded.ranges:
                arrived.expect_behind(partition)
        sink_finished = await parity.sink.read(extent, arrived)
        letters = LetterFolder(folded, arrived.fold, parity.ends)
        if parity.letters is not None:
            await parity.letters(letters)
        differing = arrived.fold.differing(_suspects(folded, order))
        for stretch in _together(differing, arrived):
            await self._reread(stretch, folded, arrived, letters)
        if self._doubtful:
            await self._look_for_first_copies(extent, folded)
        reached = Reached(
            {**before.source, **folded.places},
            before.source_finished | finished,
            {**before.proven, **folded.last_ranks},
            folded.expected.texts,
            {**before.sink, **arrived.resume},
            before.sink_finished | (sink_finished - arrived.unfinished),
            {**before.judged, **arrived.places},
        )
        return Proof(self._report(folded, arrived, len(differing)), reached)

    async def _reread(self, stretch: Stretch, folded: SourceFolder, arrived: SinkFolder, letters: LetterFolder) -> None:
        parity, ranges = self._parity, folded.ranges[stretch.partition]
        after = ranges.last_ranks[stretch.first - 1] if stretch.first else ranges.first_rank - 1
        scope = Scope(stretch.partition, after, ranges.last_ranks[stretch.last], arrived.order.keys)
        comparison = Comparison(self._findings, parity.ends.source, folded.lineage, arrived.lineage, scope)
        first, last = ranges.firsts[stretch.first], ranges.lasts[stretch.last]
        places = arrived.fold.places(stretch, folded.lineage, arrived.lineage)
        expected = SourceRereader(comparison, folded, parity.ends)
        await parity.source.read(
            _between(parity.source, [Partition(stretch.partition)], {stretch.partition: (first, last)}), expected
        )
        for position in letters.buried.get(stretch.partition, ()):
            if scope.covers(stretch.partition, rank(position)):
                comparison.excuse(stretch.partition, position)
        # Of all that precedes it: the partitions between two that are read may hold nothing of the stretch.
        partitions = [Partition(each, tuple(arrived.lineage.ancestors(each) & places.keys())) for each in places]
        await parity.sink.read(
            _between(parity.sink, partitions, places), SinkRereader(comparison, parity.ends, folded.lineage)
        )
        for missing in comparison.missing():
            known = expected.brought.get(missing.position)
            if known is None or len(self._doubtful) >= _AT_ONCE:
                self._findings.add(Kind.MISSING, missing)
            else:
                self._doubtful[known] = missing

    async def _look_for_first_copies(self, sink: Extent, folded: SourceFolder) -> None:
        ends = self._parity.ends
        looking = FirstCopies(self._doubtful, folded.lineage, ends.source, ends.sink)
        await self._parity.sink.read(sink, looking)
        for known, missing in self._doubtful.items():
            if known not in looking.found:
                self._findings.add(Kind.MISSING, missing)
        self._copies = len(looking.found)

    def _report(self, folded: SourceFolder, arrived: SinkFolder, reread: int) -> ParityReport:
        left_out = folded.expected.left_out.reasons + arrived.counted
        left_out[DEAD_LETTER] = arrived.fold.buried
        left_out[DUPLICATE] += self._copies
        return ParityReport(
            sum(sum(ranges.counts) for ranges in folded.ranges.values()) - self._copies,
            arrived.fold.count,
            self._findings.differences(),
            permits_copies=self._parity.permits_copies,
            ranges=sum(map(len, folded.ranges.values())),
            reread=reread,
            left_out={reason: count for reason, count in sorted(left_out.items()) if count},
            source=self._parity.ends.source,
            sink=self._parity.ends.sink,
        )


def _suspects(folded: SourceFolder, order: Order) -> Mapping[str, set[int]]:
    """The ranges in which records may be out of order."""
    found: dict[str, set[int]] = {}
    for partition, ranks in order.suspected.items():
        indexes = map(folded.ranges[partition].index, ranks)
        found[partition] = {index for index in indexes if index is not None}
    return found


def _together(stretches: Sequence[Stretch], arrived: SinkFolder) -> list[Stretch]:
    """Neighbours as one, as many as may be remembered at a time."""
    found: list[Stretch] = []
    for stretch in stretches:
        last = found[-1] if found else None
        if last is not None and last.partition == stretch.partition and last.last + 1 == stretch.first:
            both = Stretch(stretch.partition, last.first, stretch.last)
            if arrived.fold.records(both) <= _AT_ONCE:
                found[-1] = both
                continue
        found.append(stretch)
    return found


def _between(side: Side, partitions: Sequence[Partition], places: Mapping[str, tuple[str, str]]) -> Extent:
    starts = {name: side.source.just_before(first) for name, (first, _) in places.items()}
    return Extent(tuple(partitions), starts, {name: End(position=last) for name, (_, last) in places.items()})
