"""Records a second over the last moments."""

from collections import deque


class Rate:
    """The slope of a counter over a window of about ten seconds, from samples taken whenever someone looks."""

    def __init__(self, window_s: float = 10.0) -> None:
        self._window_s = window_s
        self._samples: deque[tuple[float, int]] = deque()

    def sample(self, now_s: float, count: int) -> None:
        self._samples.append((now_s, count))
        while len(self._samples) > 2 and self._samples[1][0] <= now_s - self._window_s:
            self._samples.popleft()

    def per_second(self, now_s: float, count: int) -> float:
        if not self._samples or now_s <= self._samples[0][0]:
            return 0.0
        since_s, then = self._samples[0]
        return (count - then) / (now_s - since_s)
