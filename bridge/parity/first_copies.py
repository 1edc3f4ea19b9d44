"""First copies of records whose second copies a range begins with: a mirror wrote the first and left the second out.

Within a range a second copy is told from the first by what was read before it. Of one whose first lies before the range
only the sink can tell: it holds the first, under its earlier place at the source.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.parity.digest import content, contents, rank
from bridge.parity.expected import Ends
from bridge.parity.lineage import Lineage
from bridge.parity.report import Identity
from connectors import provenance
from connectors.base import REPLAY_HEADER, Batch, Header, Partition, Place


@dataclass(frozen=True, slots=True)
class Brought:
    """What a record that a mirror brought to the source is known by, wherever it stands there."""

    origin: bytes
    """Where it was before."""
    content: int
    """0 of all that are transformed."""


def brought(batch: Batch, ends: Ends) -> dict[str, Brought]:
    """Those records of ``batch`` that were brought to the source, where it was read, by position."""
    origins = provenance.last_origins(batch, ends.source)
    chosen = [index for index, origin in enumerate(origins) if origin is not None]
    found = batch.pick(chosen)
    digests = _contents(found, ends)
    known = zip((origins[index] for index in chosen), digests, strict=True)
    return {
        position: Brought(origin, digest)
        for position, (origin, digest) in zip(found.positions, known, strict=True)
        if origin is not None
    }


class FirstCopies:
    """Looks for them in all that the sink holds."""

    def __init__(self, missing: Mapping[Brought, Identity], origins: Lineage, ends: Ends) -> None:
        """``missing`` may be second copies."""
        self.found: set[Brought] = set()
        """Second copies: the sink holds their first ones."""
        self._missing = missing
        self._names = {each.origin for each in missing}
        self._origins = origins
        self._ends = ends

    def begin(self, partition: Partition) -> None:
        """Nothing depends on the order."""

    def take(self, batch: Batch) -> None:
        for index, headers in enumerate(batch.headers or ()):
            first = self._first(headers)
            if first is None:
                continue
            (digest,) = _contents(batch.pick([index]), self._ends)
            known = Brought(first.origin, digest)
            second = self._missing.get(known)
            if second is not None and self._precedes(first, second):
                self.found.add(known)

    def end(self, partition: Partition, place: Place) -> None:
        """Nothing follows from it."""

    def _first(self, headers: tuple[Header, ...]) -> "_First | None":
        hops = provenance.way(headers, self._ends.sink)
        if len(hops) < 2 or hops[-1].source != self._ends.source or any(name == REPLAY_HEADER for name, _ in headers):
            return None
        before, last = hops[-2:]
        origin = f"{before.source}/{before.partition}/{before.identity}".encode()
        return _First(origin, last.partition, last.position) if origin in self._names else None

    def _precedes(self, first: "_First", second: Identity) -> bool:
        if first.partition == second.partition:
            return rank(first.position) < rank(second.position)
        return first.partition in self._origins.ancestors(second.partition)


def _contents(batch: Batch, ends: Ends) -> list[int]:
    if ends.is_transformed:
        return [0] * len(batch)
    return contents(batch.keys, batch.values, [content(headers) for headers in batch.headers or ()])


@dataclass(frozen=True, slots=True)
class _First:
    """A record of the sink: where it was before the source, and where there."""

    origin: bytes
    partition: str
    position: str
