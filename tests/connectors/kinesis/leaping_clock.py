"""The clock of a process that is stopped now and then."""

from tests.simulation.virtual_time import VirtualClock, VirtualLoop


class LeapingClock(VirtualClock):
    """Leaps ahead on request, as the time of a stopped process does."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__(loop)
        self.leapt_s = 0.0

    def now_ms(self) -> int:
        return super().now_ms() + round(self.leapt_s * 1000)

    def monotonic(self) -> float:
        return super().monotonic() + self.leapt_s
