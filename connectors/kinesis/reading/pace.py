"""How often and how much one shard may be read."""

from connectors.base import Clock

# Five calls and 2 MB a second are what AWS allows. A little more than 200 ms apart, so that calls which arrive unevenly
# are not counted as six in a second.
CALL_S = 0.205
_BYTES_PER_S = 2_000_000


class Pace:
    """Keeps the reads of one shard within ``share`` of its limits, by waiting before a call is made."""

    def __init__(self, share: float, clock: Clock) -> None:
        self._call_s = CALL_S / share
        self._bytes_per_s = _BYTES_PER_S * share
        self._clock = clock
        self._started = clock.monotonic()
        self._next = self._started

    @property
    def is_due(self) -> bool:
        """Whether ``turn`` would not wait."""
        return self._next <= self._clock.monotonic()

    async def turn(self) -> None:
        """Wait until the next call may be made."""
        while (wait := self._next - self._clock.monotonic()) > 0:
            await self._clock.sleep(wait)

    def begin(self) -> None:
        """The call is made now."""
        self._started = self._clock.monotonic()
        self._next = self._started + self._call_s

    def took(self, size: int) -> None:
        """The call brought ``size`` bytes of records."""
        self._next = max(self._next, self._started + size / self._bytes_per_s)

    def rest(self, seconds: float) -> None:
        """There is no hurry: the next call comes ``seconds`` after this one at the earliest."""
        self._next = max(self._next, self._started + seconds)
