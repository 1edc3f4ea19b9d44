"""The second pass: ranges that differ are read again, and their records are named."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.parity.comparison import Comparison, Scope
from bridge.parity.digest import rank
from bridge.parity.first_copies import Brought, FirstCopies
from bridge.parity.fold import Stretch
from bridge.parity.passes import SinkFolder, SourceFolder
from bridge.parity.reading import Extent, Side
from bridge.parity.remade import dropped
from bridge.parity.report import Findings, Identity, Kind
from bridge.parity.rereading import Cutter, LetterRereader, SinkRereader, SourceRereader
from bridge.parity.sides import Letters, Parity
from connectors.base import End, Partition

_AT_ONCE = 100_000
"""Records of both sides that are remembered at a time."""


@dataclass(slots=True)
class Settled:
    """What only the second pass tells of records that the first has counted."""

    copies: int = 0
    """Second copies of records from before the range: the sink need not hold them."""
    letters: int = 0
    """Dead letters of records that had one before."""
    dropped: int = 0
    """Records of which the mirror's transforms leave nothing."""


class SecondPass:
    def __init__(self, parity: Parity, folded: SourceFolder, arrived: SinkFolder, findings: Findings) -> None:
        """What was folded of both sides is complete."""
        self.settled = Settled()
        self._parity = parity
        self._folded = folded
        self._arrived = arrived
        self._findings = findings
        self._doubtful: dict[Brought, Identity] = {}
        """What is missing, unless it is a second copy."""

    async def name(self, differing: Sequence[Stretch], sink: Extent) -> None:
        """What differs in these goes to the findings; ``sink`` is all of the sink. Raises as reading."""
        for stretch in _together(differing, self._arrived):
            count = self._arrived.fold.letters(stretch)
            places = self._arrived.fold.places(stretch, self._folded.lineage, self._arrived.lineage)
            for scope, piece in await self._pieces(stretch):
                count -= await self._reread(scope, piece, places, self._parity.letters if count > 0 else None)
            # Less than none where letters came meanwhile.
            self.settled.letters += max(0, count)
        if self._doubtful:
            await self._look_for_first_copies(sink)

    async def _pieces(self, stretch: Stretch) -> list[tuple[Scope, tuple[str, str]]]:
        """What is to be read at once of ``stretch``, with the positions of the first and the last record."""
        fold = self._arrived.fold
        ranges, keys = self._folded.ranges[stretch.partition], self._arrived.suspects.keys
        after = ranges.last_ranks[stretch.first - 1] if stretch.first else ranges.first_rank - 1
        pieces = [(ranges.firsts[stretch.first], ranges.lasts[stretch.last])]
        if fold.records(stretch) > _AT_ONCE:
            cutter = Cutter(max(1, _AT_ONCE * fold.expected(stretch) // fold.records(stretch)))
            await self._parity.source.read(_of_source(self._parity.source, stretch.partition, pieces[0]), cutter)
            pieces = cutter.pieces
        found: list[tuple[Scope, tuple[str, str]]] = []
        for first, last in pieces:
            found.append((Scope(stretch.partition, after, rank(last), keys), (first, last)))
            after = rank(last)
        return found

    async def _reread(
        self, scope: Scope, piece: tuple[str, str], places: Mapping[str, tuple[str, str]], letters: Letters | None
    ) -> int:
        """How many records of the scope ``letters`` has; None is known to have none."""
        parity, origins, lineage = self._parity, self._folded.lineage, self._arrived.lineage
        comparison = Comparison(self._findings, parity.ends.source, origins, lineage, scope)
        expected = SourceRereader(comparison, self._folded.expected.left_out.copies, parity.ends)
        await parity.source.read(_of_source(parity.source, scope.partition, piece), expected)
        buried = LetterRereader(comparison, scope, parity.ends, origins)
        if letters is not None:
            await letters(buried)
        # Of all that precedes it: the partitions between two that are read may hold nothing of the stretch.
        partitions = [Partition(each, tuple(lineage.ancestors(each) & places.keys())) for each in places]
        await parity.sink.read(
            _between(parity.sink, partitions, places), SinkRereader(comparison, parity.ends, origins)
        )
        comparison.judge_parts()
        absent = comparison.missing()
        left_out = await self._dropped({each.position for each in absent}, scope.partition, piece)
        self.settled.dropped += len(left_out)
        for missing in absent:
            if missing.position in left_out:
                continue
            known = expected.brought.get(missing.position)
            # Of two with one first copy a mirror would have written the second: it would have forgotten the first.
            if known is None or known in self._doubtful or len(self._doubtful) >= _AT_ONCE:
                self._findings.add(Kind.MISSING, missing)
            else:
                self._doubtful[known] = missing
        return len(buried.found)

    async def _dropped(self, positions: set[str], partition: str, piece: tuple[str, str]) -> set[str]:
        """Those of ``positions``, in ``piece``, of which the transforms leave nothing."""
        if self._parity.transform is None or not positions:
            return set()
        source = self._parity.source
        return await dropped(source, _of_source(source, partition, piece), positions, self._parity.transform)

    async def _look_for_first_copies(self, sink: Extent) -> None:
        ends = self._parity.ends
        looking = FirstCopies(self._doubtful, self._folded.lineage, ends)
        await self._parity.sink.read(sink, looking)
        for known, missing in self._doubtful.items():
            if known not in looking.found:
                self._findings.add(Kind.MISSING, missing)
        self.settled.copies = len(looking.found)


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


def _of_source(source: Side, partition: str, piece: tuple[str, str]) -> Extent:
    return _between(source, [Partition(partition)], {partition: piece})


def _between(side: Side, partitions: Sequence[Partition], places: Mapping[str, tuple[str, str]]) -> Extent:
    starts = {name: side.source.just_before(first) for name, (first, _) in places.items()}
    return Extent(tuple(partitions), starts, {name: End(position=last) for name, (_, last) in places.items()})
