"""What has been added since the last time."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from bridge.engine.status import LATENCY_BOUNDS_S, Latency
from bridge.telemetry.emf.document import MOST_VALUES
from bridge.telemetry.names import Definition, Kind
from bridge.telemetry.samples import Sample

_EDGES_S = (0.0, *LATENCY_BOUNDS_S, LATENCY_BOUNDS_S[-1])
"""Of the buckets; nothing is known of what lies above the last bound, except that it does."""


class Increase:
    """Of one mirror's counters and latencies, from one call to the next. They count from 0."""

    def __init__(self) -> None:
        self._counted: dict[tuple[Definition, tuple[str, ...]], float] = {}
        self._latency = (0,) * (len(LATENCY_BOUNDS_S) + 1)

    def of(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """``samples``, counters as what they have grown by; where one has begun anew, as what it is."""
        for definition, labels, value in samples:
            if definition.kind is not Kind.COUNTER:
                yield definition, labels, value
                continue
            before = self._counted.get((definition, labels), 0)
            self._counted[definition, labels] = value
            yield definition, labels, value - before if value >= before else value

    def latencies(self, latency: Latency) -> list[float]:
        """Seconds, at most ``MOST_VALUES`` that are spread as those of all records since the last call."""
        added = [now - before for now, before in zip(latency.counts, self._latency, strict=True)]
        self._latency = latency.counts
        return quantiles([max(0, count) for count in added])


def quantiles(counts: Sequence[int]) -> list[float]:
    """Values at even distances through buckets of ``LATENCY_BOUNDS_S`` that hold ``counts``."""
    total = sum(counts)
    number = min(total, MOST_VALUES)
    found: list[float] = []
    below = list(accumulate(counts, initial=0))
    bucket = 0
    for index in range(number):
        rank = (index + 0.5) * total / number
        while below[bucket + 1] < rank:
            bucket += 1
        low, high = _EDGES_S[bucket], _EDGES_S[bucket + 1]
        found.append(round(low + (high - low) * (rank - below[bucket]) / counts[bucket], 6))
    return found
