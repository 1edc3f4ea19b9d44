"""Two sides compared by the origin that every mirrored record carries, in two passes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from bridge.parity.expected import DUPLICATE
from bridge.parity.passes import DEAD_LETTER, Earlier, LetterFolder, SinkFolder, SourceFolder, most_ranges
from bridge.parity.reading import Extent
from bridge.parity.report import Findings, ParityReport
from bridge.parity.second_pass import SecondPass, Settled
from bridge.parity.sides import DROPPED, SKIPPED, Parity
from connectors.base import Place


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

    async def compare(self, source: Extent, sink: Callable[[], Awaitable[Extent]]) -> Proof:
        parity, before = self._parity, self._before
        places = await parity.sink.listed()
        folded = SourceFolder(parity.ends, most_ranges(len(source.partitions), len(places)), before.windows)
        finished = await parity.source.read(source, folded)
        earlier = Earlier(before.proven, before.judged)
        by_key = parity.keys_overtake
        arrived = SinkFolder(folded, parity.sink.source, parity.ends, self._findings, earlier, by_key=by_key)
        extent = await sink()
        # What the sink holds by now of a partition that came meanwhile was written behind the source's ranges.
        for partition in await parity.source.listed():
            if partition.id not in folded.ranges:
                arrived.expect_behind(partition)
        sink_finished = await parity.sink.read(extent, arrived)
        if parity.letters is not None:
            await parity.letters(LetterFolder(folded, arrived.fold, parity.ends))
        differing = arrived.fold.differing(arrived.suspects.ranges)
        if differing:
            self._findings.excuse(await parity.skipped())
        second = SecondPass(parity, folded, arrived, self._findings)
        await second.name(differing, extent)
        reached = Reached(
            {**before.source, **folded.places},
            before.source_finished | finished,
            {**before.proven, **folded.last_ranks},
            folded.expected.texts,
            {**before.sink, **arrived.resume},
            before.sink_finished | (sink_finished - arrived.unfinished),
            {**before.judged, **arrived.places},
        )
        return Proof(self._report(folded, arrived, second.settled, len(differing)), reached)

    def _report(self, folded: SourceFolder, arrived: SinkFolder, settled: Settled, reread: int) -> ParityReport:
        left_out = folded.expected.left_out.reasons + arrived.counted
        left_out[DEAD_LETTER] = arrived.fold.buried - settled.letters
        left_out[DUPLICATE] += settled.copies
        left_out[SKIPPED] = self._findings.skipped
        left_out[DROPPED] = settled.dropped
        read = sum(sum(ranges.counts) for ranges in folded.ranges.values())
        return ParityReport(
            read - settled.copies - settled.dropped - self._findings.skipped,
            arrived.fold.count,
            self._findings.differences(),
            permits_copies=self._parity.permits_copies,
            parts=arrived.fold.parts,
            ranges=sum(map(len, folded.ranges.values())),
            reread=reread,
            left_out={reason: count for reason, count in sorted(left_out.items()) if count},
            source=self._parity.ends.source,
            sink=self._parity.ends.sink,
        )
