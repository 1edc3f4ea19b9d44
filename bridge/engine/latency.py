"""How long records took from their arrival at the source to durability in the sink."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from bridge.engine.status import LATENCY_BOUNDS_S, Latency


class LatencyHistogram:
    """Counts every record, at a cost per batch.

    The arrival times of a batch are nearly sorted, so that sorting them takes linear time.
    """

    def __init__(self) -> None:
        self._bounds_ms = [round(bound * 1000) for bound in LATENCY_BOUNDS_S]
        self._counts = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self._sum_ms = 0

    def observe(self, arrivals_ms: Sequence[int], durable_ms: int) -> None:
        """Arrivals after ``durable_ms``, by a source whose clock is ahead of ours, count as no latency at all."""
        arrivals = sorted(arrivals_ms)
        known = bisect_right(arrivals, durable_ms)
        self._sum_ms += known * durable_ms - sum(arrivals[:known])
        above = len(arrivals)
        for bucket, bound_ms in enumerate(self._bounds_ms):
            first = bisect_left(arrivals, durable_ms - bound_ms)
            self._counts[bucket] += above - first
            above = first
        self._counts[-1] += above

    def snapshot(self) -> Latency:
        return Latency(tuple(self._counts), self._sum_ms / 1000)
