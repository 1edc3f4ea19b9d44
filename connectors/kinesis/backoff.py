"""Waiting before trying again."""

from random import Random

from connectors.base import Clock

_BASE_S = 0.2
_CAP_S = 10.0


class Backoff:
    """Full jitter: a random part of a span that doubles with each failure in a row, up to 10 seconds.

    Source: Amazon Builders' Library, "Timeouts, retries and backoff with jitter".
    """

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self.failures = 0
        """In a row."""

    async def wait(self) -> None:
        """Count a failure and wait for it."""
        await self._clock.sleep(self.next_s())

    def next_s(self) -> float:
        """Count a failure; how long to wait for it."""
        span = min(_CAP_S, _BASE_S * 2 ** min(self.failures, 16))
        self.failures += 1
        return self._random.uniform(0, span)

    def reset(self) -> None:
        self.failures = 0
