"""The metrics of a comparison that goes on."""

from collections import Counter
from collections.abc import Iterable, Mapping

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from bridge.telemetry import names
from bridge.telemetry.metrics import family


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
        records = family(names.PARITY_RECORDS)
        records.add_metric((self.mirror,), self.records)
        differences = family(names.PARITY_DIFFERENCES)
        for kind, count in self.differences.items():
            differences.add_metric((self.mirror, kind), count)
        proven = family(names.PARITY_PROVEN_TIMESTAMP_SECONDS)
        if self.proven_ms is not None:
            proven.add_metric((self.mirror,), self.proven_ms / 1000)
        return [records, differences, proven]
