"""Clocks that a test puts forward, or that do not make it wait."""

from connectors.base import Clock


class Hours(Clock):
    """Monotonic time that a test can put forward."""

    def __init__(self) -> None:
        self.passed_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.passed_s


class PatientClock(Clock):
    """Waits in no time, and remembers how long it was to wait."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
