"""Records compared one by one: which they are that differ."""

from collections.abc import Container, Iterable
from dataclasses import dataclass

from bridge.parity.lineage import Lineage
from bridge.parity.parts import Parts, Record
from bridge.parity.report import Findings, Identity, Kind, ParityReport
from bridge.parity.run import Run


def compare(source: Iterable[Run], sink: Iterable[Run]) -> ParityReport:
    """Whether ``sink`` holds exactly the records of ``source``, each key's in the same order. Both fit into memory.

    The runs of a place come in its order, places in any.
    """
    findings, none = Findings(), Lineage()
    comparison = Comparison(findings, "", none, none)
    for run in source:
        comparison.expect(run)
    arrived = 0
    for run in sink:
        comparison.meet(run)
        arrived += len(run)
    for record in comparison.missing():
        findings.add(Kind.MISSING, record)
    comparison.judge_parts()
    return ParityReport(comparison.expected, arrived, findings.differences(), keys=comparison.keys)


@dataclass(frozen=True, slots=True)
class Scope:
    """The records of ``partition`` whose ranks lie behind ``after``, up to ``last``."""

    partition: str
    after: int
    last: int
    keys: Container[bytes | None]
    """Other records of these are looked at too: one of the scope must not stand behind a later one of them."""

    def covers(self, partition: str, rank: int) -> bool:
        return partition == self.partition and self.after < rank <= self.last


class Comparison:
    """First all that the sink has to hold, then what it holds, each of its partitions in order, parents first.

    It remembers every record it is told of, and every key in whose order it looks.
    """

    def __init__(
        self, findings: Findings, address: str, origins: Lineage, sink: Lineage, scope: Scope | None = None
    ) -> None:
        """``address`` is the source's. What differs goes to ``findings``; ``scope`` None is everything."""
        self._scope = scope
        self._findings = findings
        self._address = address
        self._origins = origins
        self._sink = sink
        self._expected: dict[Record, int] = {}
        self._excused: set[Record] = set()
        self._seen: set[Record] = set()
        self._parts = Parts()
        self._furthest: dict[tuple[bytes, str], int] = {}
        self._places: dict[tuple[bytes, str], str] = {}

    @property
    def expected(self) -> int:
        """Records that the sink has to hold."""
        return len(self._expected)

    @property
    def keys(self) -> int:
        """Different keys in the sink in whose order it looked."""
        return len({key for key, _ in self._furthest})

    def expect(self, run: Run) -> None:
        """The sink has to hold these."""
        partition = run.partition
        self._expected |= {(partition, at): digest for at, digest in zip(run.positions, run.digests, strict=True)}

    def excuse(self, partition: str, position: str) -> None:
        """That one may be in the sink or not: it is somewhere else, or there twice at the source."""
        self._excused.add((partition, position))

    def meet(self, run: Run) -> None:
        """The sink holds these."""
        for index, (key, rank) in enumerate(zip(run.keys, run.ranks, strict=True)):
            if self._scope is None or self._scope.covers(run.partition, rank):
                self._meet(run, index)
            elif key in self._scope.keys:
                self._is_late(run, index)

    def _meet(self, run: Run, index: int) -> None:
        record = (run.partition, run.positions[index])
        expected = self._expected.get(record)
        if expected is None:
            self._add(Kind.DOUBLED if record in self._excused else Kind.EXTRA, run, index)
            return
        if run.part(index):
            self._meet_further(record, run, index)
        else:
            self._meet_first(record, run, index, expected)

    def _meet_first(self, record: Record, run: Run, index: int, expected: int) -> None:
        """The record, or the first part of it."""
        count = run.count(index)
        if record in self._seen:
            self._add(Kind.DOUBLED, run, index)
            if count != self._parts.count(record):
                self._add(Kind.ALTERED, run, index)
        else:
            self._seen.add(record)
            if run.digests[index] != expected:
                self._add(Kind.ALTERED, run, index)
            self._judge_order(run, index)
        self._parts.tell(record, count)

    def _meet_further(self, record: Record, run: Run, index: int) -> None:
        """Another part of the record than the first."""
        if self._parts.meet(record, run.part(index), f"{run.place}/{run.places[index]}"):
            self._judge_order(run, index)
        else:
            self._add(Kind.DOUBLED, run, index)

    def missing(self) -> list[Identity]:
        """What the sink does not hold anything of, once everything is told."""
        return [
            Identity(*record, self._address)
            for record in self._expected
            if record not in self._seen and record not in self._excused and record not in self._parts
        ]

    def judge_parts(self) -> None:
        """Of records that the sink holds some parts of, once everything is told: what is missing, and what too much."""
        for record in self._parts:
            if record in self._excused:
                continue
            if record not in self._seen:
                # It is the first part that says how many there are.
                lacking = [0, *self._parts.gaps(record)]
            else:
                lacking = self._parts.lacking(record)
                for part, place in self._parts.beyond(record):
                    self._findings.add(Kind.EXTRA, Identity(*record, self._address, part), place)
            for part in lacking:
                self._findings.add(Kind.MISSING, Identity(*record, self._address, part))

    def _judge_order(self, run: Run, index: int) -> None:
        if self._is_late(run, index):
            self._add(Kind.REORDERED, run, index)

    def _is_late(self, run: Run, index: int) -> bool:
        """Whether it stands behind a later one of its key, or apart from the key's first one."""
        key, order, origin = run.keys[index], run.order[index], run.partition
        if key is None:
            return False
        furthest = self._furthest.get((key, origin), -1)
        self._furthest[key, origin] = max(order, furthest)
        place = self._places.setdefault((key, origin), run.place)
        if place != run.place and place in self._sink.ancestors(run.place):
            # The keys of a partition that has ended go on in its children.
            place = self._places[key, origin] = run.place
        if order < furthest or place != run.place:
            return True
        return any((key, name) in self._furthest for name in self._origins.descendants(origin))

    def _add(self, kind: Kind, run: Run, index: int) -> None:
        identity = Identity(run.partition, run.positions[index], self._address, run.part(index))
        self._findings.add(kind, identity, f"{run.place}/{run.places[index]}")
