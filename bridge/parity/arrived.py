"""What the sink holds, told apart by where each record says that it comes from."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.parity.digest import content
from bridge.parity.expected import Ends
from bridge.parity.lineage import Lineage
from bridge.parity.run import Run
from connectors import provenance
from connectors.base import ORIGIN_HEADER, REPLAY_HEADER, Batch, Header

REPLAYED = "replayed_in_sink"

_NAME = ORIGIN_HEADER
_REPLAY = b"replay"
"""In place of a hop."""


class Arrived:
    """Reads along in the sink, or in a dead letter beside it."""

    def __init__(self, ends: Ends, origins: Lineage) -> None:
        """Records come from the source, and their last hop must say that they were written to the sink. ``origins`` are
        the source's partitions.
        """
        self._run = ends.run
        self._is_transformed = ends.is_transformed
        self._origins = origins
        self.left_out: Counter[str] = Counter()
        self._start = f"{ends.source}/".encode()
        self._end = f">{ends.sink}".encode()

    def runs(self, batch: Batch) -> tuple[list[Run], list[int]]:
        """The records of ``batch`` by origin partition, and the indexes of those that come from elsewhere.

        Where a record stands behind one of a partition that descends from its own, another run begins. A record sent
        again on purpose is in none.
        """
        if batch.headers is None:
            return [], list(range(len(batch)))
        found: list[Run] = []
        groups: dict[str, _Group] = {}
        others: list[int] = []
        start, end, first, last = self._start, self._end, len(self._start), -len(self._end)
        left: tuple[Header, ...]
        for index, headers in enumerate(batch.headers):
            if len(headers) == 1 and headers[0][0] == _NAME:
                text, left = headers[0][1], ()
            else:
                text, left = _taken_apart(headers)
            if text is _REPLAY:
                self.left_out[REPLAYED] += 1
                continue
            if text is None or not text.endswith(end) or not text.startswith(start):
                others.append(index)
                continue
            partition, _, position = text[first:last].decode().rpartition("/")
            group = groups.get(partition)
            if group is None:
                group = groups[partition] = _Group(self._origins.descendants(partition))
            elif group.descendants and not group.descendants.isdisjoint(groups):
                found += self._runs(batch, groups)
                group = _Group(group.descendants)
                groups = {partition: group}
            group.positions.append(position)
            group.indexes.append(index)
            if left:
                group.headers[index] = left
        return [*found, *self._runs(batch, groups)], others

    def _runs(self, batch: Batch, groups: Mapping[str, "_Group"]) -> Iterator[Run]:
        for partition, group in groups.items():
            chosen, own = group.indexes, group.headers
            positions, parts = _told_apart(group.positions)
            yield self._run(
                partition,
                batch.partition,
                positions,
                [batch.positions[index] for index in chosen],
                [batch.keys[index] for index in chosen],
                [batch.values[index] for index in chosen],
                [own.get(index, ()) for index in chosen] if own else None,
                parts,
                self._counts(batch, chosen),
            )

    def _counts(self, batch: Batch, chosen: Sequence[int]) -> list[int] | None:
        """How many parts there are of each, as ``Run`` has it; where nothing is transformed, nothing is split."""
        if not self._is_transformed or batch.headers is None:
            return None
        headers = batch.headers
        counts = [provenance.parts(headers[index]) for index in chosen]
        return counts if max(counts) > 1 else None


@dataclass(slots=True)
class _Group:
    """Records of one origin partition."""

    descendants: frozenset[str]
    positions: list[str] = field(default_factory=list)
    """With the number of a part behind it, as origins have it."""
    indexes: list[int] = field(default_factory=list)
    """In the batch."""
    headers: dict[int, tuple[Header, ...]] = field(default_factory=dict)
    """What they hold themselves, by index, of those that have any."""


def _told_apart(identities: Sequence[str]) -> tuple[Sequence[str], list[int] | None]:
    """The positions of these, and which part each is, as ``Run`` has them."""
    if not any("~" in identity for identity in identities):
        return identities, None
    both = [identity.partition("~") for identity in identities]
    return [position for position, _, _ in both], [int(part or 0) for _, _, part in both]


def _taken_apart(headers: tuple[Header, ...]) -> tuple[bytes | None, tuple[Header, ...]]:
    """The last hop of a record, or ``_REPLAY``, and what it holds itself."""
    if not headers:
        return None, ()
    # Where a mirror writes it.
    name, text = headers[-1]
    left = headers[:-1]
    if name == _NAME and (not left or content(left) is left):
        return text, left
    if any(name == REPLAY_HEADER for name, _ in headers):
        return _REPLAY, ()
    return next((text for name, text in reversed(headers) if name == _NAME), None), content(headers)
