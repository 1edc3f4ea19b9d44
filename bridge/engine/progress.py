"""How far one lane has come: what is durable, what is stored, and the counts behind its metrics."""

from collections import deque
from dataclasses import dataclass, field

from bridge.engine.rate import Rate
from checkpoints.base import Checkpoint, Gap
from connectors.base import Batch, Place

NOTHING_MS = -1
"""Stands for the arrival of a batch without records."""


@dataclass(slots=True)
class Progress:
    """Moves over a contiguous prefix only: batches are settled in the order in which they were read.

    ``place`` is where the lane stands: everything at or before it is durable (in the sink or in the dead letter).
    ``stored`` is the last checkpoint of this lane in the store.
    """

    place: Place
    stored: Checkpoint | None = None
    confirmed: Place | None = None
    """What a commit has made durable beyond ``place``, until the batches up to there are settled."""
    gaps: tuple[Gap, ...] = ()
    finished: bool = False
    in_flight: int = 0
    """Records read and not yet settled."""
    records_written: int = 0
    read_lag_ms: int = 0
    """How far the last record read is behind the partition's tip."""
    awaited: deque[tuple[int, Place]] = field(default_factory=deque)
    """Of each batch in flight, oldest first: when its first record arrived at the source, and its place."""
    rate: Rate = field(default_factory=Rate)

    def read(self, batch: Batch) -> None:
        self.in_flight += len(batch)
        self.read_lag_ms = batch.lag_ms
        self.awaited.append((batch.timestamps_ms[0] if len(batch) else NOTHING_MS, batch.place))

    def settle(self, batch: Batch, written: int) -> None:
        """All of ``batch`` is durable, ``written`` of its records in the sink."""
        self.place = batch.place
        if self.place == self.confirmed:
            self.confirmed = None
        self.in_flight -= len(batch)
        self.awaited.popleft()
        self.records_written += written

    def confirm(self, place: Place) -> None:
        """A commit has made durable what was read up to ``place``, whether that is settled already or not."""
        if any(each == place for _, each in self.awaited):
            self.confirmed = place

    def rewind(self) -> None:
        """What was in flight is given up and will be read again."""
        self.place = self.confirmed or self.place
        self.confirmed = None
        self.in_flight = 0
        self.awaited.clear()

    def lag_ms(self, now_ms: int) -> int:
        """How far what is durable is behind: the tip's distance from what is read, or the age of what is in flight."""
        oldest = next((arrival for arrival, _ in self.awaited if arrival != NOTHING_MS), now_ms)
        return max(self.read_lag_ms, now_ms - oldest)

    def moved(self, now_ms: int, idle_ms: float) -> bool:
        """Whether there is something to store: a position, a gap, an end, or a watermark not saved for ``idle_ms``."""
        stored = self.stored
        if stored is None:
            return True
        if self.confirmed is not None:
            return False
        if (stored.position, stored.finished, stored.gaps) != (self.place.position, self.finished, self.gaps):
            return True
        return stored.watermark_ms != self.place.watermark_ms and now_ms - stored.saved_ms >= idle_ms

    def checkpoint(self, place: Place, now_ms: int, source: str, sink: str) -> Checkpoint:
        """What to store of ``place`` now; ``source`` and ``sink`` are the identities of the two ends."""
        return Checkpoint(place.position, place.watermark_ms, self.finished, now_ms, source, sink, self.gaps)

    def checkpoint_age_ms(self, now_ms: int) -> int | None:
        """How old the stored checkpoint is while it does not cover all that was read; 0 when it does."""
        if self.stored is None:
            return None
        covered = self.in_flight == 0 and self.stored.position == self.place.position
        return 0 if covered else max(0, now_ms - self.stored.saved_ms)
