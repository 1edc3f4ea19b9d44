"""The last records of a lane by their origins: a second copy of one of them is told from a first.

A writer that does not hear of its success writes again, so that a stream may hold a record twice, the second copy
some moments after the first.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import chain, islice

import msgspec

from connectors import provenance
from connectors.base import Batch, Place

SIZE = 16_384
"""Records that are remembered while a lane runs."""

STORED = 512
"""Of these, how many a checkpoint remembers."""

Origin = bytes
"""``SOURCE/PARTITION/POSITION``, as provenance writes it, and what else tells two records apart."""


def origins_of(batch: Batch, source: str) -> list[Origin | None]:
    """Which record each of ``batch``, read at the address ``source``, was before it came there; None: of none.

    With the record's time: a topic that is made anew under its name gives its offsets to other records.
    """
    named = zip(provenance.last_origins(batch, source), batch.timestamps_ms, strict=True)
    return [None if origin is None else b"%b@%d" % (origin, time_ms) for origin, time_ms in named]


class Window:
    """Follows a lane: what is read again after a fault must not be taken for a second copy of itself."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """``texts`` are windows of checkpoints: the lane's own, or those of the partitions that precede it."""
        self._settled: deque[Origin] = deque(chain.from_iterable(map(_origins, texts)), SIZE)
        self._read: deque[tuple[Place, Sequence[Origin]]] = deque()
        """What is on its way, oldest batch first, with the place behind it."""
        self._known = set(self._settled)

    def repeated(self, origins: Sequence[Origin | None]) -> list[int]:
        """The indexes of those that were seen before, or are there twice. None is never a repetition."""
        found: list[int] = []
        new: set[Origin] = set()
        for index, origin in enumerate(origins):
            if origin is None:
                continue
            if origin in self._known or origin in new:
                found.append(index)
            else:
                new.add(origin)
        return found

    def read(self, place: Place, origins: Iterable[Origin | None]) -> None:
        """The batch that ends at ``place`` has records with these ``origins``."""
        new = [origin for origin in origins if origin is not None and origin not in self._known]
        if new:
            self._read.append((place, new))
            self._known.update(new)

    def settle(self, place: Place) -> None:
        """All up to ``place``, which a batch ends at, is settled."""
        while self._read and self._read[0][0] == place:
            for origin in self._read.popleft()[1]:
                if len(self._settled) == SIZE:
                    self._known.discard(self._settled.popleft())
                self._settled.append(origin)

    def rewind(self, place: Place) -> None:
        """Reading goes on behind ``place``."""
        kept = self._until(place)
        while len(self._read) > kept:
            self._known.difference_update(self._read.pop()[1])
        while self._read:
            self.settle(self._read[0][0])

    def text(self, place: Place) -> str:
        """What a checkpoint at ``place`` keeps of it."""
        ahead = chain.from_iterable(origins for _, origins in islice(self._read, self._until(place)))
        last = deque(chain(self._settled, ahead), STORED)
        return _text(last) if last else ""

    def _until(self, place: Place) -> int:
        """How many batches on their way lie at or before ``place``: none where no batch ends there."""
        ends = (number for number, (end, _) in enumerate(self._read, 1) if end == place)
        return max(ends, default=0)


def _text(origins: Iterable[Origin]) -> str:
    """Grouped by source and partition, so that each of these is written once."""
    groups: dict[str, list[str]] = {}
    for origin in origins:
        before, _, position = origin.decode().rpartition("/")
        groups.setdefault(before, []).append(position)
    return msgspec.json.encode({before: " ".join(positions) for before, positions in groups.items()}).decode()


def _origins(text: str) -> Iterable[Origin]:
    if not text:
        return ()
    groups = msgspec.json.decode(text, type=dict[str, str])
    return (f"{before}/{position}".encode() for before, positions in groups.items() for position in positions.split())
