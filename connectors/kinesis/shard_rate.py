"""How much one shard of a stream takes, learned from its refusals."""

_BYTES_PER_S = 1_048_576
_RECORDS_PER_S = 1_000
"""What AWS allows a shard."""

_BURST_S = 0.1
_QUANTUM_S = 0.04
_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.8
_ONE_EVENT_S = 1.0
_AGAIN_S = 3.0
_CUT = 0.985
_DEEP_CUT = 0.9
_SLOW = 0.004
_LOWEST = 0.01


class ShardRate:
    """Spreads entries evenly over time, at a ``level`` of what AWS allows: 1.0 is all of it.

    A refusal lowers the level by little, a refusal soon after another by more, for then others write to the shard too.
    While all of the level is used it rises again, ever faster the longer nothing was refused. So it settles just below
    what the server takes, however that counts: some entries in hundreds are refused, and hardly any room is lost.
    Without limits, everything passes until the first refusal.
    """

    __slots__ = ("_bytes_at", "_cut_at", "_full_at", "_pause", "_records_at", "_resume", "level", "limited")

    def __init__(self, now: float, *, limited: bool) -> None:
        self.limited = limited
        self.level = 1.0
        self._bytes_at = self._records_at = now
        self._resume = now
        self._pause = _PAUSE_S
        self._cut_at = self._full_at = now - _AGAIN_S

    @property
    def bytes_per_s(self) -> float | None:
        """The most that is sent; None without a limit."""
        return _BYTES_PER_S * self.level if self.limited else None

    def wait_s(self, now: float) -> float:
        """How long nothing may be sent."""
        return max(0.0, self._resume - now)

    def spend(self, size: int, now: float) -> bool:
        """An entry of ``size`` bytes is sent. Whether another one may follow at once."""
        if not self.limited:
            return True
        earliest = now - _BURST_S
        self._bytes_at = max(self._bytes_at, earliest) + size / (_BYTES_PER_S * self.level)
        self._records_at = max(self._records_at, earliest) + 1 / (_RECORDS_PER_S * self.level)
        used_to = max(self._bytes_at, self._records_at)
        if used_to <= now:
            return True
        # A little later than needed, so that calls hold more than an entry or two.
        self._resume = used_to + _QUANTUM_S
        self._rise(now)
        return False

    def accepted(self) -> None:
        """The shard took an entry."""
        self._pause = _PAUSE_S

    def throttled(self, now: float) -> None:
        """The shard refused an entry for its rate."""
        if not self.limited:
            self.limited = True
            self._cut_at = now
        elif now - self._cut_at >= _ONE_EVENT_S:
            # What was refused within a second of a cut had been sent before it, or into the same second of the server.
            self.level = max(_LOWEST, self.level * (_CUT if now - self._cut_at >= _AGAIN_S else _DEEP_CUT))
            self._cut_at = now
        if now >= self._resume - _QUANTUM_S:
            self._pause = min(_LONGEST_PAUSE_S, self._pause * 2)
        self._bytes_at = max(self._bytes_at, now)
        self._records_at = max(self._records_at, now)
        self._resume = max(self._resume, now + self._pause)

    def _rise(self, now: float) -> None:
        passed, self._full_at = min(0.5, now - self._full_at), now
        calm_s = now - self._cut_at
        if calm_s >= _ONE_EVENT_S:
            self.level *= 1 + passed * _SLOW * max(1.0, calm_s / 5)
