"""Records and bytes a second that all lanes of a process share."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from connectors.base import Clock

PORTION_S = 0.1
"""What is let through at once is worth so much time."""

_CREDIT_S = 0.2
"""Time that passed unused and may be made up for: a late wake-up costs no throughput, and ten seconds hold 2 % more."""
_LOOK_S = 1.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Of a mirror, all its workers together; None: unlimited."""

    records_per_s: float | None = None
    bytes_per_s: float | None = None


class Quota:
    """Lets lanes pass one after the other, in the order in which they ask, so that the rates are kept."""

    def __init__(self, rates: Rates, clock: Clock, share: Callable[[], float] = lambda: 1.0) -> None:
        """``share`` is this worker's of the rates, above 0; asked again each second."""
        self._share = share
        self._clock = clock
        self._turn = asyncio.Lock()
        self._records = _Meter(rates.records_per_s, clock)
        self._bytes = _Meter(rates.bytes_per_s, clock)
        self._looked_s: float | None = None

    @property
    def portion(self) -> tuple[float, float]:
        """Records and bytes that may pass at once."""
        self._look()
        return self._records.portion, self._bytes.portion

    async def take(self, records: int, size: int) -> None:
        """Wait until ``records`` records of ``size`` bytes may pass. More than a portion passes, and is waited for."""
        async with self._turn:
            while (wait_s := max(self._records.due_s, self._bytes.due_s) - self._clock.monotonic()) > 0:
                await self._clock.sleep(wait_s)
            self._look()
            self._records.charge(records)
            self._bytes.charge(size)

    def _look(self) -> None:
        """Learn this worker's share anew, now and then: it changes when workers come and go."""
        now_s = self._clock.monotonic()
        if self._looked_s is None or now_s - self._looked_s >= _LOOK_S:
            self._looked_s = now_s
            self._records.share = self._bytes.share = self._share()


class _Meter:
    """One rate. What passes now is paid for by those who come later."""

    def __init__(self, per_s: float | None, clock: Clock) -> None:
        self.share = 1.0
        self.due_s = clock.monotonic()
        """When all that has passed is paid for."""
        self._per_s = per_s
        self._clock = clock

    @property
    def portion(self) -> float:
        return float("inf") if self._per_s is None else self._per_s * self.share * PORTION_S

    def charge(self, amount: float) -> None:
        if self._per_s is not None:
            earliest_s = self._clock.monotonic() - _CREDIT_S
            self.due_s = max(self.due_s, earliest_s) + amount / (self._per_s * self.share)
