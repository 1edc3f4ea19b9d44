"""What a comparison found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bridge.parity.entry import Identity

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
    """In the sink behind a later record of its key, or not in the place of its key's other records."""
    ALTERED = "altered"
    """In the sink with another key, value or headers."""


@dataclass(frozen=True, slots=True)
class Difference:
    count: int = 0
    first: tuple[Identity, ...] = ()
    """The first ``FIRST`` of them in the order in which they were found."""

    @classmethod
    def of(cls, identities: Iterable[Identity]) -> "Difference":
        found = tuple(identities)
        return cls(len(found), found[:FIRST])


@dataclass(frozen=True, slots=True)
class ParityReport:
    source_records: int
    sink_records: int
    keys: int
    """Keys at the source whose order was checked."""
    differences: Mapping[Kind, Difference]
    """Every kind, also those of which there are none."""

    @property
    def equal(self) -> bool:
        return not any(difference.count for difference in self.differences.values())

    def to_json(self) -> dict[str, object]:
        return {
            "equal": self.equal,
            "source_records": self.source_records,
            "sink_records": self.sink_records,
            "keys": self.keys,
            "differences": {
                kind.value: {"count": found.count, "first": [str(identity) for identity in found.first]}
                for kind, found in self.differences.items()
            },
        }

    def rows(self) -> list[tuple[str, str, str]]:
        """A line for each kind of which there are any: its name, how many, and which."""
        return [
            (kind.value, f"{found.count:,}", ", ".join(str(identity) for identity in found.first))
            for kind, found in self.differences.items()
            if found.count
        ]
