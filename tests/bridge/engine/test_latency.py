"""The latency histogram counts every record, batch by batch."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.engine.latency import LatencyHistogram
from bridge.engine.status import LATENCY_BOUNDS_S

_NOW_MS = 1_764_000_000_000


@given(st.lists(st.integers(_NOW_MS - 400_000, _NOW_MS + 10), max_size=50))
def test_counts_as_if_each_record_were_observed_alone(arrivals: list[int]) -> None:
    """Every record is in the lowest bucket whose bound it does not exceed; the sum is that of all."""
    histogram = LatencyHistogram()
    histogram.observe(arrivals, _NOW_MS)
    expected = [0] * (len(LATENCY_BOUNDS_S) + 1)
    for arrival in arrivals:
        latency_ms = max(0, _NOW_MS - arrival)
        bounds = [*(round(bound * 1000) for bound in LATENCY_BOUNDS_S), latency_ms]
        expected[next(bucket for bucket, bound in enumerate(bounds) if latency_ms <= bound)] += 1
    latency = histogram.snapshot()
    assert list(latency.counts) == expected
    assert latency.sum_s == sum(max(0, _NOW_MS - arrival) for arrival in arrivals) / 1000
