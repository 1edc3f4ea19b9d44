from connectors.base import Clock


class SetClock(Clock):
    """Wall time as a test sets it."""

    def __init__(self, at_ms: int = 1_795_000_000_000) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms
