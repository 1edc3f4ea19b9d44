"""What a comparison found."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bridge.parity.skipped import Skipped
from connectors.base import identity_of

FIRST = 20
"""How many records a difference names; the rest are counted."""


class Kind(StrEnum):
    MISSING = "missing"
    """At the source, not in the sink."""
    EXTRA = "extra"
    """In the sink, not at the source."""
    DOUBLED = "doubled"
    """In the sink more than once; every copy but the first counts."""
    REORDERED = "reordered"
    """In the sink behind a later record of its key; where all is compared at once, also apart from its key's others."""
    ALTERED = "altered"
    """In the sink with another key, value or headers."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which record this is: the place at its origin, the same on both sides."""

    partition: str
    position: str
    address: str = ""
    part: int = 0
    """Which of those made of the record at ``position`` it is."""

    def __str__(self) -> str:
        """``ADDRESS/PARTITION/POSITION``, or ``…/POSITION~n`` of another part than the first; ``--from`` takes both."""
        place = f"{self.partition}/{identity_of(self.position, self.part)}"
        return f"{self.address}/{place}" if self.address else place


@dataclass(frozen=True, slots=True)
class Found:
    """One record that differs."""

    identity: Identity
    place: str = ""
    """``PARTITION/POSITION`` in the sink; empty where it is not there."""


@dataclass(frozen=True, slots=True)
class Difference:
    count: int = 0
    first: tuple[Found, ...] = ()
    """The first ``FIRST`` of them in the order in which they were found."""


@dataclass(frozen=True, slots=True)
class ParityReport:
    source_records: int
    """Those that the sink has to hold."""
    sink_records: int
    """Of these and of no others, those that were found there, every copy counted."""
    differences: Mapping[Kind, Difference]
    """Every kind, also those of which there are none."""
    permits_copies: bool = False
    """Whether the mode of delivery allows a record to stand in the sink twice, so that it is no error."""
    keys: int | None = None
    """Different keys at the source; None where they were not counted."""
    ranges: int = 0
    """Ranges of positions, or of keys, that were compared by count and sum."""
    reread: int = 0
    """Of these, how many were read again because something about them differed."""
    parts: int = 0
    """What the sink holds of records that were split beside the first part of each."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Records that are compared with nothing, counted by reason."""
    source: str = ""
    """Its address."""
    sink: str = ""

    @property
    def equal(self) -> bool:
        """Whether the sink holds what it has to, by the mode of delivery."""
        return not any(self.differences[kind].count for kind in Kind if not self.permits(kind))

    def permits(self, kind: Kind) -> bool:
        return kind is Kind.DOUBLED and self.permits_copies

    @property
    def verdict(self) -> str:
        """For a person."""
        return "equal: same records, same order of every key" if self.equal else "DIFFERENT"

    def summary(self) -> list[tuple[str, str]]:
        """What was compared and what came of it, a line each."""
        return [
            ("records at the source", f"{self.source_records:,}"),
            ("of these in the sink", f"{self.sink_records:,}"),
            *([("further parts of these", f"{self.parts:,}")] if self.parts else []),
            *((f"left out: {reason}", f"{count:,}") for reason, count in self.left_out.items()),
            ("ranges compared", f"{self.ranges:,}"),
            ("of these read again", f"{self.reread:,}"),
            ("verdict", self.verdict),
        ]

    def to_json(self) -> dict[str, object]:
        return {
            "equal": self.equal,
            "source": self.source,
            "sink": self.sink,
            "source_records": self.source_records,
            "sink_records": self.sink_records,
            "parts": self.parts,
            "keys": self.keys,
            "ranges": self.ranges,
            "ranges_reread": self.reread,
            "left_out": dict(self.left_out),
            "differences": {kind.value: self._document(kind) for kind in self.differences},
        }

    def _document(self, kind: Kind) -> dict[str, object]:
        found = self.differences[kind]
        return {
            "count": found.count,
            "permitted": self.permits(kind),
            "first": [str(each.identity) for each in found.first],
            "sink": [each.place or None for each in found.first],
        }

    def rows(self) -> list[tuple[str, str, str]]:
        """A line for each kind of which there are any: its name, how many, and which."""
        return [
            (
                f"{kind.value} (permitted)" if self.permits(kind) else kind.value,
                f"{found.count:,}",
                ", ".join(str(each.identity) for each in found.first),
            )
            for kind, found in self.differences.items()
            if found.count
        ]


def together(first: ParityReport, second: ParityReport) -> ParityReport:
    """Two comparisons of the same sides as one; what was left out is counted in each."""
    differences = {kind: _both(first.differences[kind], second.differences[kind]) for kind in Kind}
    return replace(
        second,
        source_records=first.source_records + second.source_records,
        sink_records=first.sink_records + second.sink_records,
        parts=first.parts + second.parts,
        differences=differences,
        ranges=first.ranges + second.ranges,
        reread=first.reread + second.reread,
        left_out=Counter(first.left_out) + Counter(second.left_out),
    )


def _both(first: Difference, second: Difference) -> Difference:
    return Difference(first.count + second.count, (*first.first, *second.first)[:FIRST])


class Findings:
    """Differences as they are found: all counted, the first of each kind named."""

    def __init__(self) -> None:
        self.skipped = 0
        """Records that are not in the sink by an operator's word, and are no difference."""
        self._skipped = Skipped()
        self._counts = dict.fromkeys(Kind, 0)
        self._first: dict[Kind, list[Found]] = {kind: [] for kind in Kind}

    def excuse(self, skipped: Skipped) -> None:
        """These need not be in the sink, from now on."""
        self._skipped = skipped

    def add(self, kind: Kind, identity: Identity, place: str = "") -> None:
        if kind is Kind.MISSING and self._skipped.covers(identity.partition, identity.position):
            self.skipped += identity.part == 0
            return
        self._counts[kind] += 1
        if len(self._first[kind]) < FIRST:
            self._first[kind].append(Found(identity, place))

    def differences(self) -> dict[Kind, Difference]:
        return {kind: Difference(self._counts[kind], tuple(self._first[kind])) for kind in Kind}
