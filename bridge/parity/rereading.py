"""The readers of the second pass: they tell a comparison what either side holds of one stretch."""

from dataclasses import replace

from bridge.parity.arrived import Arrived
from bridge.parity.comparison import Comparison, Scope
from bridge.parity.expected import Ends, Expected
from bridge.parity.first_copies import Brought, brought
from bridge.parity.lineage import Lineage
from bridge.parity.remembered import Remembered
from connectors.base import Batch, Partition, Place


class SourceRereader:
    """Tells a comparison what the source holds."""

    def __init__(self, comparison: Comparison, copies: Remembered, ends: Ends) -> None:
        """``copies`` are second copies: a stretch alone does not tell which are."""
        self.brought: dict[str, Brought] = {}
        """By position, where there may be second copies."""
        self._comparison = comparison
        self._ends = ends
        self._copies = copies
        self._expected = Expected(replace(ends, repeats=False))

    def begin(self, partition: Partition) -> None:
        """Nothing comes before a stretch."""

    def take(self, batch: Batch) -> None:
        run = self._expected.run(batch)
        copies = {at for at, position in enumerate(run.positions) if (run.partition, position) in self._copies}
        if copies:
            for index in copies:
                self._comparison.excuse(run.partition, run.positions[index])
            run = run.pick([index for index in range(len(run)) if index not in copies])
        if self._ends.repeats:
            self.brought |= brought(batch, self._ends)
        self._comparison.expect(run)

    def end(self, partition: Partition, place: Place) -> None:
        """Nothing follows from it."""


class SinkRereader:
    """Tells a comparison what the sink holds."""

    def __init__(self, comparison: Comparison, ends: Ends, lineage: Lineage) -> None:
        self._comparison = comparison
        self._arrived = Arrived(ends, lineage)

    def begin(self, partition: Partition) -> None:
        """The comparison knows the lineage."""

    def take(self, batch: Batch) -> None:
        for run in self._arrived.runs(batch)[0]:
            self._comparison.meet(run)

    def end(self, partition: Partition, place: Place) -> None:
        """Nothing follows from it."""


class LetterRereader:
    """Tells a comparison which records of its scope are in the dead letter."""

    def __init__(self, comparison: Comparison, scope: Scope, ends: Ends, lineage: Lineage) -> None:
        self.found: set[str] = set()
        """Their positions."""
        self._comparison = comparison
        self._scope = scope
        self._arrived = Arrived(ends, lineage)

    def begin(self, partition: Partition) -> None:
        """Nothing depends on the order."""

    def take(self, batch: Batch) -> None:
        for run in self._arrived.runs(batch)[0]:
            for position, rank in zip(run.positions, run.ranks, strict=True):
                if self._scope.covers(run.partition, rank):
                    self._comparison.excuse(run.partition, position)
                    self.found.add(position)

    def end(self, partition: Partition, place: Place) -> None:
        """Nothing follows from it."""


class Cutter:
    """Finds out where a stretch of the source is to be cut so that no piece has more than ``most`` records."""

    def __init__(self, most: int) -> None:
        self.pieces: list[tuple[str, str]] = []
        """The positions of the first and the last record of each."""
        self._most = most
        self._count = 0

    def begin(self, partition: Partition) -> None:
        """It is one."""

    def take(self, batch: Batch) -> None:
        begin = 0
        while begin < len(batch):
            if self._count % self._most == 0:
                self.pieces.append((batch.positions[begin], batch.positions[begin]))
            stop = min(len(batch), begin + self._most - self._count % self._most)
            self.pieces[-1] = (self.pieces[-1][0], batch.positions[stop - 1])
            self._count += stop - begin
            begin = stop

    def end(self, partition: Partition, place: Place) -> None:
        """Nothing follows from it."""
