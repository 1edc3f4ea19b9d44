"""How long a sink has owed an answer."""


class Stall:
    """Watches submissions and answers. A sink that answers anything is not stalled."""

    def __init__(self) -> None:
        self._unanswered = 0
        self._since_s = 0.0

    def submitted(self, now_s: float) -> None:
        if self._unanswered == 0:
            self._since_s = now_s
        self._unanswered += 1

    def answered(self, now_s: float) -> None:
        self._unanswered -= 1
        self._since_s = now_s

    def seconds(self, now_s: float) -> float:
        """Time since the last answer, or since the first submission after it; 0 when nothing is owed."""
        return now_s - self._since_s if self._unanswered > 0 else 0.0
