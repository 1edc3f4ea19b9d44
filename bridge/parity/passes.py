"""The readers of the first pass, which folds both sides."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.parity.arrived import Arrived
from bridge.parity.expected import Ends, Expected
from bridge.parity.fold import MOST_MET, MOST_RANGES, Ranges, SinkFold
from bridge.parity.lineage import Lineage
from bridge.parity.order import Order
from bridge.parity.report import Findings, Identity, Kind
from bridge.parity.run import Run
from bridge.parity.suspects import Suspects
from connectors import provenance
from connectors.base import Batch, Partition, Place, Source

BEFORE = "before_range"
BEHIND = "behind_range"
NATIVE = "native"
UNJUDGED = "native_unjudged"
ELSEWHERE = "other_partitions"
DEAD_LETTER = "dead_letter"
_LEAST_RANGES = 16


def most_ranges(origins: int, places: int) -> int:
    """Of a partition, so that where all were met can be remembered, unless there are very many partitions."""
    return max(_LEAST_RANGES, min(MOST_RANGES, MOST_MET // max(1, origins * places)) // 2 * 2)


class SourceFolder:
    """Folds what the source holds."""

    def __init__(self, ends: Ends, most: int, windows: Mapping[str, str]) -> None:
        """``windows`` as ``Expected`` takes them."""
        self.ranges: dict[str, Ranges] = {}
        self.lineage = Lineage()
        self.expected = Expected(ends, windows)
        self.places: dict[str, Place] = {}
        """Where each partition is read to."""
        self._most = most

    @property
    def last_ranks(self) -> dict[str, int]:
        """Of the last record of each partition that has any."""
        return {name: ranges.last_ranks[-1] for name, ranges in self.ranges.items() if len(ranges)}

    def begin(self, partition: Partition) -> None:
        self.ranges[partition.id] = Ranges(self._most)
        self.lineage.add(partition)
        self.expected.begin(partition.id, partition.parents)

    def take(self, batch: Batch) -> None:
        self.ranges[batch.partition].add(self.expected.run(batch))

    def end(self, partition: Partition, place: Place) -> None:
        self.expected.end(partition.id, place)
        self.places[partition.id] = place


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier comparison has settled."""

    proven: Mapping[str, int]
    """Of each origin partition the rank of the last record compared."""
    judged: Mapping[str, Place]
    """Up to where records from elsewhere are judged, by partition of the sink."""


class SinkFolder:
    """Folds what the sink holds of that, and follows the order."""

    def __init__(
        self,
        folded: SourceFolder,
        source: Source,
        ends: Ends,
        findings: Findings,
        earlier: Earlier,
        *,
        by_key: bool,
    ) -> None:
        """``source`` reads the sink; ``by_key`` as ``Order`` takes it."""
        self.places: dict[str, Place] = {}
        """Where each partition is read to."""
        self.unfinished: set[str] = set()
        """Partitions that hold what stands behind the source's ranges."""
        self._earlier = earlier
        self.fold = SinkFold(folded.ranges, earlier.proven)
        self.suspects = Suspects(folded.ranges)
        self._order = Order(folded.lineage, self.suspects.add, by_key=by_key)
        self.lineage = Lineage()
        self.left_out: Counter[str] = Counter()
        self.resume: dict[str, Place] = {}
        """From where each partition is to be read for what stands behind the source's ranges."""
        self._source = source
        self._ends = ends
        self._findings = findings
        self._lineage = folded.lineage
        self._later: set[str] = set()
        """Partitions that came to the source behind its ranges."""
        self._ranges = folded.ranges
        self._returned = folded.expected.left_out.returned
        self._arrived = Arrived(ends, folded.lineage)

    def expect_behind(self, partition: Partition) -> None:
        """``partition`` is listed at the source, and was not when that was read."""
        self._later.add(partition.id)
        self._lineage.add(partition)

    @property
    def counted(self) -> Counter[str]:
        """All that is compared with nothing."""
        outside = Counter({BEFORE: self.fold.before, BEHIND: self.fold.behind})
        return self.left_out + self._arrived.left_out + outside

    def begin(self, partition: Partition) -> None:
        self.lineage.add(partition)
        self._order.begin(partition.id, partition.parents)

    def take(self, batch: Batch) -> None:
        runs, others = self._arrived.runs(batch)
        for run in runs:
            if run.partition in self._ranges:
                self._fold(run, batch)
            else:
                self._unknown(run, batch)
        for index in others:
            self._native(batch, index)

    def end(self, partition: Partition, place: Place) -> None:
        self.resume.setdefault(partition.id, place)
        self.places[partition.id] = place

    def _fold(self, run: Run, batch: Batch) -> None:
        behind = self.fold.behind
        self.fold.add(run)
        self._order.add(run)
        if self.fold.behind > behind:
            self._come_back(batch)

    def _come_back(self, batch: Batch) -> None:
        """From ``batch`` on, what stands behind the source's ranges is read again by a comparison that goes on."""
        if batch.partition not in self.resume:
            self.resume[batch.partition] = self._source.just_before(batch.positions[0])
            self.unfinished.add(batch.partition)

    def _unknown(self, run: Run, batch: Batch) -> None:
        """Of a partition that is not compared: not meant, new, expired, if any may have, or read before.

        Of any other it is too much.
        """
        if self._ends.is_partial:
            self.left_out[ELSEWHERE] += len(run)
            return
        if run.partition in self._later and run.partition not in self._earlier.proven:
            self.left_out[BEHIND] += len(run)
            self._come_back(batch)
            return
        if self._lineage.has_lost_some or run.partition in self._earlier.proven:
            self.left_out[BEFORE] += len(run)
            return
        for index, (position, place) in enumerate(zip(run.positions, run.places, strict=True)):
            identity = Identity(run.partition, position, self._ends.source, run.part(index))
            self._findings.add(Kind.EXTRA, identity, f"{run.place}/{place}")

    def _native(self, batch: Batch, index: int) -> None:
        """Not from the source: the sink's own, which a source that is read whole knows if it has been mirrored back.

        Any other is too much.
        """
        place = (batch.partition, batch.positions[index])
        judged = self._earlier.judged.get(batch.partition)
        if judged is not None and self._source.rank(place[1]) <= self._source.rank(judged.position):
            return
        if place in self._returned or not self._judges(batch, index):
            self.left_out[NATIVE] += 1
        elif not self._returned.is_complete:
            self.left_out[UNJUDGED] += 1
        else:
            self._findings.add(Kind.EXTRA, Identity(*place, self._ends.sink), "/".join(place))

    def _judges(self, batch: Batch, index: int) -> bool:
        ends = self._ends
        if ends.is_shared or ends.is_partial:
            return False
        return ends.judges_natives or bool(batch.headers and provenance.way(batch.headers[index], ends.sink))


class LetterFolder:
    """Folds what a dead letter holds in place of the sink, in whatever order.

    A record that has two letters makes its range differ: the second pass tells.
    """

    def __init__(self, folded: SourceFolder, fold: SinkFold, ends: Ends) -> None:
        self._ranges = folded.ranges
        self._fold = fold
        # A letter tells where the record was to go.
        self._arrived = Arrived(ends, folded.lineage)

    def begin(self, partition: Partition) -> None:
        """Nothing depends on the order."""

    def take(self, batch: Batch) -> None:
        for run in self._arrived.runs(batch)[0]:
            if run.partition in self._ranges:
                self._fold.bury(run)

    def end(self, partition: Partition, place: Place) -> None:
        """Nothing follows from it."""
