"""Two sides compared key by key, where records do not say where they come from."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from bridge.parity.chains import Chains, Share, key_hash
from bridge.parity.copies import Copies
from bridge.parity.digest import content, contents
from bridge.parity.expected import DUPLICATE, Ends, Expected
from bridge.parity.passes import DEAD_LETTER
from bridge.parity.reading import Extent
from bridge.parity.report import Findings, Identity, ParityReport
from bridge.parity.sequences import Item, buried, name_differences
from bridge.parity.sides import SKIPPED, Parity
from connectors.base import REPLAY_HEADER, Batch, Header, Partition, Place

_AT_ONCE = 100_000
"""Records of both sides that the second pass remembers at a time, and those of one key on top."""
_REPLAYED = "replayed_in_sink"
_DUPLICATE = "duplicate_in_sink"

Records = Iterator[tuple[str, int, int]]
"""Position, hash of the key, digest of what it holds."""


class SourceView:
    """What the sink has to hold of the source."""

    def __init__(self, ends: Ends) -> None:
        # A second copy is told from a first by its origin.
        self._expected = Expected(replace(ends, repeats=False))
        self._copies = Copies()

    @property
    def left_out(self) -> Counter[str]:
        return self._expected.left_out.reasons + Counter({DUPLICATE: self._copies.count})

    def records(self, batch: Batch) -> Records:
        run = self._expected.run(self._copies.without(batch))
        return zip(run.positions, map(key_hash, run.keys), contents(run.keys, run.values, run.headers), strict=True)


class SinkView:
    """What the sink holds, but for what was sent again on purpose."""

    def __init__(self) -> None:
        self._copies = Copies()
        self._replayed = 0

    @property
    def left_out(self) -> Counter[str]:
        return Counter({_REPLAYED: self._replayed, _DUPLICATE: self._copies.count})

    def records(self, batch: Batch) -> Records:
        batch = self._copies.without(batch)
        headers: Sequence[tuple[Header, ...]] | None = None
        if batch.headers is not None:
            kept = [at for at, own in enumerate(batch.headers) if not any(name == REPLAY_HEADER for name, _ in own)]
            self._replayed += len(batch) - len(kept)
            batch = batch.pick(kept)
            headers = [content(own) for own in batch.headers or ()]
        digests = contents(batch.keys, batch.values, headers)
        return zip(batch.positions, map(key_hash, batch.keys), digests, strict=True)


View = SourceView | SinkView


async def compare_by_key(parity: Parity, source: Extent, sink: Callable[[], Awaitable[Extent]]) -> ParityReport:
    """Compare ``source`` with all of ``sink``, whose extent is asked for when the source is read. Raises as reading.

    A key's records must stand in one partition at each end, or in such as follow each other.
    """
    return await _ByKey(parity, source).compare(sink)


class _ByKey:
    def __init__(self, parity: Parity, source: Extent) -> None:
        self._parity = parity
        self._source = source
        self._findings = Findings()
        self._tally = _Tally()

    async def compare(self, sink: Callable[[], Awaitable[Extent]]) -> ParityReport:
        shares, arrived, tally = [Share()], None, self._tally
        is_excused = False
        while shares:
            expecting = Chains(shares.pop())
            view = SourceView(self._parity.ends)
            await self._parity.source.read(self._source, _Chaining(view, expecting))
            # What is written between two passes must not make them differ.
            arrived = arrived or await sink()
            holding, seen = Chains(expecting.share), SinkView()
            await self._parity.sink.read(arrived, _Chaining(seen, holding))
            shares += [*expecting.left, *holding.left]
            expecting.keep(holding.share)
            tally.add(expecting, holding)
            tally.left_out = view.left_out + seen.left_out
            if not is_excused and any(expecting.differing(holding)):
                self._findings.excuse(await self._parity.skipped())
                is_excused = True
            await self._name(expecting, holding, arrived)
        return self._report()

    async def _name(self, expecting: Chains, holding: Chains, sink: Extent) -> None:
        for keys in _groups(expecting, holding):
            self._tally.reread += len(keys)
            wanted, found = _Collecting(SourceView(self._parity.ends), keys), _Collecting(SinkView(), keys)
            await self._parity.source.read(self._source, wanted)
            await self._parity.sink.read(sink, found)
            letters = _Collecting(SinkView(), keys)
            if self._parity.letters is not None:
                await self._parity.letters(letters)
            for key in keys:
                self._name_of(key, wanted, found, letters)

    def _name_of(self, key: int, wanted: "_Collecting", found: "_Collecting", letters: "_Collecting") -> None:
        source, sink = wanted.items(key, self._parity.ends.source), found.items(key, self._parity.ends.sink)
        put_aside = {item.identity for item in buried(source, sink, letters.items(key, ""))}
        self._tally.letters += len(put_aside)
        expected = [item for item in source if item.identity not in put_aside]
        name_differences(expected, sink, self._findings, in_order=key != key_hash(None))

    def _report(self) -> ParityReport:
        tally, ends, skipped = self._tally, self._parity.ends, self._findings.skipped
        left_out = tally.left_out + Counter({SKIPPED: skipped, DEAD_LETTER: tally.letters})
        return ParityReport(
            tally.source - skipped,
            tally.sink,
            self._findings.differences(),
            permits_copies=self._parity.permits_copies,
            keys=tally.keys,
            ranges=tally.keys,
            reread=tally.reread,
            left_out={reason: count for reason, count in sorted(left_out.items()) if count},
            source=ends.source,
            sink=ends.sink,
        )


@dataclass(slots=True)
class _Tally:
    source: int = 0
    sink: int = 0
    keys: int = 0
    reread: int = 0
    letters: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, expecting: Chains, holding: Chains) -> None:
        self.source += expecting.records
        self.sink += holding.records
        self.keys += len(expecting.chains.keys() - {key_hash(None)})


class _Chaining:
    """Lets chains follow a side."""

    def __init__(self, view: View, chains: Chains) -> None:
        self._view = view
        self._chains = chains

    def begin(self, partition: Partition) -> None:
        """A key is where it is."""

    def take(self, batch: Batch) -> None:
        self._chains.add((key, digest) for _, key, digest in self._view.records(batch))

    def end(self, partition: Partition, place: Place) -> None:
        """Nothing follows from it."""


class _Collecting:
    """Remembers the records of some keys."""

    def __init__(self, view: View, keys: Sequence[int]) -> None:
        self.found: dict[int, list[tuple[str, str, int]]] = {key: [] for key in keys}
        """Partition, position and digest of each."""
        self._view = view

    def begin(self, partition: Partition) -> None:
        """A key is where it is."""

    def take(self, batch: Batch) -> None:
        for position, key, digest in self._view.records(batch):
            if (records := self.found.get(key)) is not None:
                records.append((batch.partition, position, digest))

    def end(self, partition: Partition, place: Place) -> None:
        """Nothing follows from it."""

    def items(self, key: int, address: str) -> list[Item]:
        """The records of ``key``, which stand at ``address``."""
        return [Item(Identity(partition, position, address), digest) for partition, position, digest in self.found[key]]


def _groups(expecting: Chains, holding: Chains) -> Iterator[list[int]]:
    """The keys that differ, as many together as may be remembered."""
    group: list[int] = []
    size = 0
    for key in expecting.differing(holding):
        records = expecting.count(key) + holding.count(key)
        if group and size + records > _AT_ONCE:
            yield group
            group, size = [], 0
        group.append(key)
        size += records
    if group:
        yield group
