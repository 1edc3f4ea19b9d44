"""How far a shard without news is certainly read."""

from connectors.base import Clock

# Between a record's arrival stamp and the moment at which a read is sure to see it, and clocks of different servers.
_SKEW_MS = 1_000
_FIRST_REPORT_S = 1.0
_REPORT_S = 10.0


class Tip:
    """Two empty reads in a row that report no lag: what arrived before the first of them has been read.

    One is not enough, since servers differ in what they report; and its own time is not, since records may arrive
    between the reading and the answer's Date.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._empty_ms: int | None = None
        self._report_s = _FIRST_REPORT_S
        self._next_report = clock.monotonic()

    def records(self) -> None:
        """A read brought records."""
        self._empty_ms = None
        self._report_s = _FIRST_REPORT_S
        self._next_report = self._clock.monotonic()

    def empty(self, lag_ms: int, server_ms: int) -> int | None:
        """A read brought none. Returns the time up to which all is read, if that is certain."""
        before, self._empty_ms = self._empty_ms, server_ms if lag_ms == 0 else None
        return before - _SKEW_MS if before is not None and lag_ms == 0 else None

    @property
    def is_due(self) -> bool:
        """Whether something that is certain now would be worth telling."""
        return self._clock.monotonic() >= self._next_report

    def is_worth_telling(self) -> bool:
        """Whether to report it: soon at first, then ever more rarely, so that idle shards stay cheap."""
        if not self.is_due:
            return False
        self._next_report = self._clock.monotonic() + self._report_s
        self._report_s = min(_REPORT_S, self._report_s * 2)
        return True
