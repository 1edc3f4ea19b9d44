"""The counts of dual writers for Prometheus, made at each scrape from what they tell at that moment."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bridge.migration.dual_write.counts import DualWriteCounts
from bridge.migration.dual_write.errors import ClosedError

_COUNTERS = {
    "accepted_records": "Records that were handed to the writer.",
    "authority_records": "Records that the authority has.",
    "authority_rejected_records": "Records that the authority can never take.",
    "shadow_records": "Records that the shadow has.",
    "shadow_skipped_records": "Records that the shadow did not get because the spool was full.",
    "swaps": "Exchanges of the roles since the spool was made.",
    "look_backs": "How often an end was read to find out what it has.",
}
_GAUGES = {
    "waiting_records": "Records whose senders have no answer.",
    "spool_records": "Records that are journalled and not settled with the shadow.",
    "spool_bytes": "Their bytes.",
    "shadow_lag_seconds": "For how long the oldest of them has been waiting.",
    "broken_keys": "Keys of which the shadow gets nothing newer.",
    "shadow_blocked": "1 where the shadow gets nothing newer at all.",
    "shadow_in_trouble": "1 while nothing reaches the shadow.",
}


class DualWriteMetrics(Collector):
    """For a registry of the application's: ``registry.register(DualWriteMetrics({"orders": writer.counts}))``.

    Every name begins with ``kmbridge_dual_write_``, and every series has the label ``writer``.
    """

    def __init__(self, writers: Mapping[str, Callable[[], DualWriteCounts]]) -> None:
        """By the value of the label. A writer that is not entered has no series."""
        self._writers = writers

    def describe(self) -> Iterable[Metric]:
        """The names, told without asking a writer."""
        return self._families({})

    def collect(self) -> Iterable[Metric]:
        found: dict[str, DualWriteCounts] = {}
        for name, counts in self._writers.items():
            with suppress(ClosedError):
                found[name] = counts()
        return self._families(found)

    def _families(self, found: Mapping[str, DualWriteCounts]) -> Iterator[Metric]:
        values = {name: _values(counts) for name, counts in found.items()}
        for metric, text in _COUNTERS.items():
            counter = CounterMetricFamily(f"kmbridge_dual_write_{metric}_total", text, labels=("writer",))
            for name, each in values.items():
                counter.add_metric((name,), each[metric])
            yield counter
        for metric, text in _GAUGES.items():
            gauge = GaugeMetricFamily(f"kmbridge_dual_write_{metric}", text, labels=("writer",))
            for name, each in values.items():
                gauge.add_metric((name,), each[metric])
            yield gauge
        yield _by(found, "shadow_rejected_records", "Records that the shadow can never take.", "reason", _rejected)
        yield _by(found, "healed_records", "Records of unknown outcome, by what became of them.", "outcome", _healed)


def _values(counts: DualWriteCounts) -> Mapping[str, float]:
    return {
        "accepted_records": counts.accepted,
        "authority_records": counts.authority_written,
        "authority_rejected_records": counts.authority_rejected,
        "shadow_records": counts.shadow_written,
        "shadow_skipped_records": counts.shadow_skipped,
        "swaps": counts.swaps,
        "look_backs": counts.look_backs,
        "waiting_records": counts.waiting,
        "spool_records": counts.spool_records,
        "spool_bytes": counts.spool_bytes,
        "shadow_lag_seconds": counts.shadow_lag_s,
        "broken_keys": counts.broken_keys,
        "shadow_blocked": float(counts.is_blocked),
        "shadow_in_trouble": float(bool(counts.shadow_trouble)),
    }


def _by(
    found: Mapping[str, DualWriteCounts],
    metric: str,
    text: str,
    label: str,
    of: Callable[[DualWriteCounts], Mapping[str, int]],
) -> Metric:
    family = CounterMetricFamily(f"kmbridge_dual_write_{metric}_total", text, labels=("writer", label))
    for name, counts in found.items():
        for value, count in of(counts).items():
            family.add_metric((name, value), count)
    return family


def _rejected(counts: DualWriteCounts) -> Mapping[str, int]:
    return counts.shadow_rejected


def _healed(counts: DualWriteCounts) -> Mapping[str, int]:
    return counts.healed
