"""What the sink holds, told apart by where each record says that it comes from."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from bridge.parity.digest import content
from bridge.parity.lineage import Lineage
from bridge.parity.run import Run
from connectors.base import ORIGIN_HEADER, REPLAY_HEADER, Batch, Header

REPLAYED = "replayed_in_sink"

_NAME = ORIGIN_HEADER
_REPLAY = b"replay"
"""In place of a hop."""


class Arrived:
    """Reads along in the sink, or in a dead letter beside it."""

    def __init__(self, source: str, destination: str, origins: Lineage) -> None:
        """``source`` and ``destination`` are addresses: where records come from, and where their last hop must say that
        they were written. ``origins`` are the source's partitions.
        """
        self._origins = origins
        self.left_out: Counter[str] = Counter()
        self._start = f"{source}/".encode()
        self._end = f">{destination}".encode()

    def runs(self, batch: Batch) -> tuple[list[Run], list[int]]:
        """The records of ``batch`` by origin partition, and the indexes of those that come from elsewhere.

        Where a record stands behind one of a partition that descends from its own, another run begins. A record sent
        again on purpose is in none.
        """
        if batch.headers is None:
            return [], list(range(len(batch)))
        origins: list[str] = []
        indexes: list[int] = []
        others: list[int] = []
        own: list[tuple[Header, ...]] = []
        first, last = len(self._start), -len(self._end)
        replayed = 0
        for index, headers in enumerate(batch.headers):
            text, left = _taken_apart(headers)
            if text is _REPLAY:
                replayed += 1
                continue
            if text is not None and text.endswith(self._end) and text.startswith(self._start):
                origins.append(text[first:last].decode())
                indexes.append(index)
                own.append(left)
            else:
                others.append(index)
        if replayed:
            self.left_out[REPLAYED] += replayed
        return list(self._by_partition(batch, origins, indexes, own)), others

    def _by_partition(
        self, batch: Batch, origins: Sequence[str], indexes: Sequence[int], own: Sequence[tuple[Header, ...]]
    ) -> Iterator[Run]:
        """``origins``, and all that belongs to them, in one run for each partition."""
        groups: dict[str, tuple[list[str], list[int]]] = {}
        has_headers = any(own)
        for number, origin in enumerate(origins):
            partition, _, position = origin.rpartition("/")
            group = groups.get(partition)
            if group is None:
                group = groups[partition] = ([], [])
            elif len(groups) > 1 and not groups.keys().isdisjoint(self._origins.descendants(partition)):
                yield from _runs(batch, groups, indexes, own if has_headers else None)
                group = ([], [])
                groups = {partition: group}
            group[0].append(position)
            group[1].append(number)
        yield from _runs(batch, groups, indexes, own if has_headers else None)


def _runs(
    batch: Batch,
    groups: Mapping[str, tuple[Sequence[str], Sequence[int]]],
    indexes: Sequence[int],
    own: Sequence[tuple[Header, ...]] | None,
) -> Iterator[Run]:
    for partition, (positions, numbers) in groups.items():
        chosen = [indexes[number] for number in numbers]
        yield Run(
            partition,
            batch.partition,
            positions,
            [batch.positions[index] for index in chosen],
            [batch.keys[index] for index in chosen],
            [batch.values[index] for index in chosen],
            None if own is None else [own[number] for number in numbers],
        )


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
