"""How far one lane has come: what is durable, what is stored, and the counts behind its metrics."""

from collections import deque
from dataclasses import dataclass, field, replace

from bridge.engine.rate import Rate
from bridge.engine.sieve import READ_BACK
from bridge.engine.tally import Tally
from checkpoints.base import Bound, Checkpoint, Gap
from connectors.base import Batch, Place


@dataclass(frozen=True, slots=True)
class _Awaited:
    """A batch on its way."""

    place: Place
    arrived_ms: int | None
    """When its first record arrived at the source; None where it has none."""
    submitted_ms: int | None
    """By the sink's clock, if it tells."""
    records: int
    """Those left out among them."""
    copied: int
    """Those that are in the sink once it is settled, unless the sink refuses some of them then."""


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
    bound: Bound | None = None
    """As it was when the lane began, until its end is reached."""
    finished: bool = False
    paused_ms: int | None = None
    """Since when an operator keeps the lane from reading; None: nobody does."""
    in_flight: int = 0
    """Records read and not yet settled."""
    records_written: int = 0
    read_lag_ms: int = 0
    """How far the last record read is behind the partition's tip."""
    lag_records: int | None = None
    """How many records lie behind the last one read; None where the source cannot count them."""
    inherited_ms: int | None = field(init=False)
    """Since when a former owner may have written what this lane has not passed yet.

    So from the start: until the lane's turn comes, nobody has looked.
    """
    is_ended: bool = False
    """Whether nothing more will be submitted."""
    rate: Rate = field(default_factory=Rate)
    _tally: Tally = field(init=False)
    _awaited: deque[_Awaited] = field(default_factory=deque)
    """Oldest first."""
    _given_up: int = 0
    """Records behind ``place`` that were submitted, given up, and may be in the sink."""
    _given_up_ms: int | None = None
    """No such record reached the sink before."""

    def __post_init__(self) -> None:
        self._tally = Tally(0 if self.bound is None else self.bound.records)
        self.inherited_ms = None if self.stored is None else self.stored.unsettled_ms

    def read(self, batch: Batch, submitted_ms: int | None = None, refused: int = 0, records: int | None = None) -> None:
        """``batch`` is on its way, since ``submitted_ms`` by the sink's clock, without the ``refused`` ones.

        It was made of so many ``records``, those left out among them; None: it is as it was read.
        """
        self.in_flight += len(batch)
        self.read_lag_ms = batch.lag_ms
        self.lag_records = batch.lag_records
        arrived_ms = batch.arrived_ms[0] if len(batch) else None
        copied = len(batch) - refused + _read_back(batch)
        records = _records(batch) if records is None else records
        self._awaited.append(_Awaited(batch.place, arrived_ms, submitted_ms, records, copied))
        self._tally.read(batch.place, copied)

    def settle(self, batch: Batch, written: int) -> None:
        """All of ``batch`` is durable, ``written`` of its records in the sink."""
        self.place = batch.place
        if self.place == self.confirmed:
            self.confirmed = None
        self.in_flight -= len(batch)
        copied, awaited = written + _read_back(batch), self._awaited.popleft()
        self._tally.settle(copied, refused=awaited.copied - copied)
        # Of a stretch that ends before a refused record no more is certain than what it has.
        self._given_up = max(0, self._given_up - min(awaited.records, _records(batch)))
        self.records_written += written

    def confirm(self, place: Place) -> None:
        """A commit has made durable what was read up to ``place``, whether that is settled already or not."""
        if any(each.place == place for each in self._awaited):
            self.confirmed = place

    def rewind(self) -> None:
        """What was in flight is given up and will be read again."""
        self._tally.rewind(self.confirmed or self.place)
        self.place = self.confirmed or self.place
        self.confirmed = None
        self.in_flight = 0
        if self._awaited:
            self._given_up_ms = self._oldest_ms()
            self._given_up = max(self._given_up, sum(each.records for each in self._awaited))
        self._awaited.clear()

    def reach(self) -> None:
        """The end of the bound is reached, where the lane stands."""
        bound = self.bound_at(self.place)
        self.bound = None if bound is None else replace(bound, is_reached=True)

    def bound_at(self, place: Place) -> Bound | None:
        """The bound with its records up to ``place``, which is settled or covered by a commit."""
        if self.bound is None or self.bound.is_reached:
            return self.bound
        records = self._tally.settled if place == self.place else self._tally.at(place)
        return replace(self.bound, records=records)

    def unsettled_ms(self, now_ms: int | None) -> int | None:
        """No record behind ``place`` reached the sink before this time, by the sink's clock, of which it is ``now_ms``.

        None where none has or will, or where the sink has no clock to tell by.
        """
        oldest_ms = self._oldest_ms()
        if now_ms is None or (self.is_ended and oldest_ms is None):
            return None
        return now_ms if oldest_ms is None else min(now_ms, oldest_ms)

    def _oldest_ms(self) -> int | None:
        times = [self.inherited_ms]
        if self._awaited:
            times.append(self._awaited[0].submitted_ms)
        if self._given_up:
            times.append(self._given_up_ms)
        return min((time for time in times if time is not None), default=None)

    def lag_ms(self, now_ms: int) -> int:
        """How far what is durable is behind: the tip's distance from what is read, or the age of what is in flight."""
        oldest = next((each.arrived_ms for each in self._awaited if each.arrived_ms is not None), now_ms)
        return max(self.read_lag_ms, now_ms - oldest)

    def moved(self, now_ms: int, idle_ms: float) -> bool:
        """Whether there is something to store: a position, a gap, an end, or a time not saved for ``idle_ms``."""
        stored = self.stored
        if stored is None:
            return True
        if self.confirmed is not None:
            return False
        if (stored.position, stored.finished) != (self.place.position, self.finished) or not self.is_kept():
            return True
        if stored.bound != self.bound_at(self.place):
            return True
        is_old = now_ms - stored.saved_ms >= idle_ms
        if stored.unsettled_ms is not None and (is_old or self.unsettled_ms(stored.unsettled_ms) is None):
            return True
        return is_old and stored.watermark_ms != self.place.watermark_ms

    def is_kept(self) -> bool:
        """Whether what an operator has decided about the lane is stored."""
        stored = self.stored
        return stored is not None and (stored.gaps, stored.paused_ms) == (self.gaps, self.paused_ms)

    def checkpoint_age_ms(self, now_ms: int) -> int | None:
        """How old the stored checkpoint is while it does not cover all that was read; 0 when it does."""
        if self.stored is None:
            return None
        covered = self.in_flight == 0 and self.stored.position == self.place.position
        return 0 if covered else max(0, now_ms - self.stored.saved_ms)


def _read_back(batch: Batch) -> int:
    return batch.skipped.get(READ_BACK, 0)


def _records(batch: Batch) -> int:
    read = len(batch) if batch.parts is None else len(set(batch.positions))
    return read + sum(batch.skipped.values())
