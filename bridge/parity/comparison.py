"""Two sides compared: by their folds, and record by record only where these differ."""

from collections.abc import Iterable, Iterator, Sequence

from bridge.parity.chains import Chains
from bridge.parity.entry import Entry, Identity, rank
from bridge.parity.fold import Fold
from bridge.parity.report import Difference, Kind, ParityReport


class Side:
    """The entries of one side in the order they were read: each place's own order, places in any."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries: list[Entry] = []
        self.fold = Fold()
        self.chains = Chains()
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.fold.add(entry)
        self.chains.add(entry)


def compare(source: Side, sink: Side) -> ParityReport:
    """Whether ``sink`` holds exactly the records of ``source``, each key's in the same order.

    A key lies in one partition of the source for as long as it is compared.
    """
    differences = {kind: Difference() for kind in Kind}
    if source.fold.differing(sink.fold) or source.chains.differing(sink.chains):
        differences = _differences(source.entries, sink.entries)
    return ParityReport(source.fold.count, sink.fold.count, len(source.chains), differences)


def _differences(source: Sequence[Entry], sink: Sequence[Entry]) -> dict[Kind, Difference]:
    expected = {entry.identity: entry.digest for entry in source}
    first: dict[Identity, Entry] = {}
    doubled: list[Identity] = []
    for entry in sink:
        if entry.identity in first:
            doubled.append(entry.identity)
        else:
            first[entry.identity] = entry
    known = [entry for identity, entry in first.items() if identity in expected]
    return {
        Kind.MISSING: Difference.of(identity for identity in expected if identity not in first),
        Kind.EXTRA: Difference.of(identity for identity in first if identity not in expected),
        Kind.DOUBLED: Difference.of(doubled),
        Kind.REORDERED: Difference.of(_reordered(known)),
        Kind.ALTERED: Difference.of(e.identity for e in known if e.digest != expected[e.identity]),
    }


def _reordered(entries: Iterable[Entry]) -> Iterator[Identity]:
    """Those behind a later record of their key, and those apart from their key's first record."""
    furthest: dict[tuple[str, bytes], tuple[int, ...]] = {}
    places: dict[bytes, str] = {}
    for entry in entries:
        if entry.key is None:
            continue
        key = (entry.identity.partition, entry.key)
        here = rank(entry.identity.position)
        if here < furthest.get(key, ()) or places.setdefault(entry.key, entry.place) != entry.place:
            yield entry.identity
        furthest[key] = max(here, furthest.get(key, ()))
