"""How much one shard of a stream takes, learned from its refusals."""

_BYTES_PER_S = 1_048_576
_RECORDS_PER_S = 1_000
"""What AWS allows a shard."""

_BURST_S = 0.1
TICK_S = 0.02
"""Entries are sent at most so often."""

_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.4
_ONE_EVENT_S = 1.0
_CUT = 0.995
_MANY = 4
_CUT_FOR_MANY = 0.95
_DEEPEST_CUT = 0.5
_RISE = 0.004
_LOWEST = 0.01


class ShardRate:
    """Spreads entries evenly over time, at a ``level`` of what AWS allows: 1.0 is all of it.

    A refusal lowers the level by little, and by more the longer the shard goes on refusing: of a server that counts
    second by second that is just the part of a second by which the level was too high. While all of the level is used
    it rises again, ever faster the longer nothing was refused. So it settles just below what the server takes, however
    that counts, and whoever else writes to the shard: few entries are refused, and hardly any room is lost.
    Without limits, everything passes until the first refusal.
    """

    __slots__ = (
        "_bytes_at",
        "_calm_from",
        "_full_at",
        "_pause",
        "_probe_at",
        "_records_at",
        "_refusals",
        "_refused_at",
        "_resume",
        "_tells",
        "level",
        "limited",
    )

    def __init__(self, now: float, *, limited: bool) -> None:
        self.limited = limited
        self.level = 1.0
        self._bytes_at = self._records_at = now
        self._resume = self._full_at = now
        self._pause = _PAUSE_S
        self._refused_at: float | None = None
        """Since when the shard refuses all that it is sent."""
        self._probe_at = now
        self._refusals = 0
        """How often it began to refuse since the level was lowered."""
        self._tells = False
        """For how long it refuses says how much the level was too high: once a second, and not of the time before."""
        self._calm_from = now
        """When the level was lowered last."""

    @property
    def bytes_per_s(self) -> float:
        """The most that is sent, where there is a limit; else what AWS allows."""
        return _BYTES_PER_S * self.level

    def wait_s(self, now: float) -> float:
        """How long nothing may be sent."""
        return max(0.0, self._resume - now)

    def spend(self, size: int, now: float) -> bool:
        """An entry of ``size`` bytes is sent. Whether another one may follow at once."""
        if not self.limited:
            return True
        is_probe = self._refused_at is not None
        if is_probe:
            # What was not sent while the shard refused is not made up for, nor is what it refused counted.
            self._bytes_at = self._records_at = self._probe_at = now
            self._resume = now + self._pause
        earliest = now - _BURST_S
        self._bytes_at = max(self._bytes_at, earliest) + size / (_BYTES_PER_S * self.level)
        self._records_at = max(self._records_at, earliest) + 1 / (_RECORDS_PER_S * self.level)
        used_to = max(self._bytes_at, self._records_at)
        if is_probe or used_to <= now:
            return not is_probe
        # At ticks that all shards share, so that one call serves many of them.
        self._resume = max(self._resume, (used_to // TICK_S + 1) * TICK_S)
        self._rise(now)
        return False

    def accepted(self) -> None:
        """The shard took an entry."""
        if self._refused_at is None:
            return
        refused_s = self._probe_at - self._refused_at - _PAUSE_S
        if refused_s > 0 and self._tells:
            self.level = max(_LOWEST, self.level * max(_DEEPEST_CUT, 1 - refused_s))
        self._refused_at = None
        self._pause = _PAUSE_S
        self._resume = self._probe_at

    def throttled(self, now: float) -> None:
        """The shard refused an entry for its rate: one at a time is sent until it takes one."""
        if self._refused_at is None:
            self._refused_at = now
            self._resume = now + self._pause
            self._tells = self.limited and now - self._calm_from >= _ONE_EVENT_S
            self._refusals += 1
            if self._tells:
                # Many in a second: the shard has no second to fill up, it takes what flows, and that is less.
                self.level = max(_LOWEST, self.level * (_CUT if self._refusals < _MANY else _CUT_FOR_MANY))
                self._refusals = 0
            if self._tells or not self.limited:
                self._calm_from = now
            self.limited = True
        elif self._probe_at > self._refused_at:
            # Not one of those that were sent before the first was refused.
            self._pause = min(_LONGEST_PAUSE_S, self._pause * 2)
            self._resume = now + self._pause

    def _rise(self, now: float) -> None:
        passed, self._full_at = min(0.5, now - self._full_at), now
        calm_s = now - self._calm_from
        if calm_s >= _ONE_EVENT_S:
            self.level *= 1 + passed * _RISE * max(1.0, calm_s / 5)
