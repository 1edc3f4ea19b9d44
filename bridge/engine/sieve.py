"""What a lane leaves out of what it reads, because it is in the sink already or came from there."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from bridge.engine.policy import OnLoop
from bridge.engine.window import Window, origins_of
from connectors import provenance
from connectors.base import Batch, Place, Sink, Source


@dataclass(frozen=True, slots=True)
class Landed:
    """What a former owner of a lane had written since ``since_ms``, by the sink's clock, and not stored."""

    since_ms: int
    identities: Collection[str]


LOOP = "loop"
"""It was in the sink before it came to the source."""
DUPLICATE = "duplicate"
"""A second copy in the source: its writer did not hear of its success."""
READ_BACK = "read_back"
"""A former owner of the lane wrote it, and did not live to say so."""


class Sieve:
    """One lane's. Follows its progress, so that what is read again after a fault is not left out for that."""

    def __init__(self, source: Source, sink: Sink, on_loop: OnLoop) -> None:
        self.landed: Landed | None = None
        """None also once all of it lies behind."""
        self._source = source
        self._sink = sink
        self._on_loop = on_loop
        self._window = Window() if source.repeats else None

    def begin(self, windows: Iterable[str]) -> None:
        """Reading begins behind what has these windows, as checkpoints keep them."""
        if self._window is not None:
            self._window = Window(windows)

    def sift(self, batch: Batch) -> Batch:
        """``batch``, the next of the lane, without what has been in the sink by another way, counted by reason.

        Place and reservation stay.
        """
        reasons = dict.fromkeys(self._looped(batch), LOOP)
        reasons |= dict.fromkeys(self._repeated(batch), DUPLICATE)
        return _less(batch, reasons)

    def strain(self, batch: Batch) -> Batch:
        """``batch``, which was sifted and is as it would be written, without what a former owner has written of it."""
        if self.landed is None:
            return batch
        landed = self.landed.identities
        return _less(batch, {index: READ_BACK for index, each in enumerate(batch.identities) if each in landed})

    def settle(self, batch: Batch) -> None:
        """All of ``batch`` is durable."""
        if self._window is not None:
            self._window.settle(batch.place)
        if batch.lag_ms == 0:
            # At the tip: whatever had landed when the lane was taken over lies behind.
            self.landed = None

    def rewind(self, place: Place) -> None:
        """Reading goes on behind ``place``."""
        if self._window is not None:
            self._window.rewind(place)

    def window(self, place: Place) -> str:
        """What a checkpoint at ``place`` keeps of the window."""
        return "" if self._window is None else self._window.text(place)

    def _looped(self, batch: Batch) -> Sequence[int]:
        if self._on_loop is OnLoop.PASS or batch.headers is None:
            return ()
        return provenance.looped(batch, self._source.address, self._sink.address)

    def _repeated(self, batch: Batch) -> Sequence[int]:
        if self._window is None or batch.headers is None:
            return ()
        origins = origins_of(batch, self._source.address)
        repeated = self._window.repeated(origins)
        self._window.read(batch.place, origins)
        return repeated


def _less(batch: Batch, reasons: Mapping[int, str]) -> Batch:
    if not reasons:
        return batch
    skipped = Counter(reasons.values()) + Counter(batch.skipped)
    return replace(batch.pick([index for index in range(len(batch)) if index not in reasons]), skipped=skipped)
