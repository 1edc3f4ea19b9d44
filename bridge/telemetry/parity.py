"""The metrics of a comparison that goes on."""

from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

_LABELS = ("mirror",)


class ParityCounts(Collector):
    """What was compared and found so far, as plain numbers; read at each scrape."""

    def __init__(self, mirror: str) -> None:
        self.records = 0
        """At the source."""
        self.differences: Counter[str] = Counter()
        """By kind."""
        self.proven_ms: int | None = None
        """What had arrived at the source by then is compared; None: nothing yet."""
        self.mirror = mirror

    def add(self, records: int, differences: Mapping[str, int]) -> None:
        self.records += records
        self.differences.update(differences)

    def collect(self) -> Iterable[Metric]:
        records = CounterMetricFamily(
            "kmbridge_parity_records_total", "Records at the source that were looked for in the sink.", labels=_LABELS
        )
        records.add_metric((self.mirror,), self.records)
        differences = CounterMetricFamily(
            "kmbridge_parity_differences_total",
            "Records that the sink does not hold as the source does, by kind.",
            labels=(*_LABELS, "kind"),
        )
        for kind, count in self.differences.items():
            differences.add_metric((self.mirror, kind), count)
        proven = GaugeMetricFamily(
            "kmbridge_parity_proven_timestamp_seconds",
            "What had reached the source by this time has been compared.",
            labels=_LABELS,
        )
        if self.proven_ms is not None:
            proven.add_metric((self.mirror,), self.proven_ms / 1000)
        return [records, differences, proven]
