"""The metrics of mirrors for Prometheus, made at each scrape from what the mirrors tell at that moment."""

from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from bridge.engine.status import LATENCY_BOUNDS_S, Latency
from bridge.telemetry import names
from bridge.telemetry.names import Definition, Kind
from bridge.telemetry.observed import ObservedMirror
from bridge.telemetry.samples import samples
from connectors.base import Clock

_LATENCY_BOUNDS = (*(str(bound) for bound in LATENCY_BOUNDS_S), "+Inf")


def registry(mirrors: Sequence[ObservedMirror], version: str) -> CollectorRegistry:
    """A registry of ``mirrors`` alone: nothing of the process, nothing global."""
    made = CollectorRegistry(auto_describe=False)
    made.register(MirrorCollector(mirrors, version, Clock()))
    return made


class MirrorCollector(Collector):
    """Holds no series itself: what a mirror no longer tells, like a finished partition, is gone at the next scrape."""

    def __init__(self, mirrors: Sequence[ObservedMirror], version: str, clock: Clock) -> None:
        self._mirrors = mirrors
        self._version = version
        self._clock = clock
        self._since_s = clock.now_ms() / 1000

    def collect(self) -> Iterable[Metric]:
        families = {each: family(each) for each in names.MIRROR if each.kind is not Kind.HISTOGRAM}
        latency = HistogramMetricFamily(names.LATENCY_SECONDS.name, names.LATENCY_SECONDS.help, labels=("mirror",))
        for mirror in self._mirrors:
            status, now_ms = mirror.status(), self._clock.now_ms()
            for definition, labels, value in samples(mirror, status, now_ms):
                families[definition].add_metric((mirror.name, *labels), value)
            families[names.START_TIMESTAMP_SECONDS].add_metric((mirror.name,), self._since_s)
            families[names.BUILD_INFO].add_metric((mirror.name, self._version), 1)
            latency.add_metric((mirror.name,), _buckets(status.latency), status.latency.sum_s)
        return [*families.values(), latency]


def family(definition: Definition) -> CounterMetricFamily | GaugeMetricFamily:
    """One of single numbers, without any yet; their first label is the mirror."""
    made = CounterMetricFamily if definition.kind is Kind.COUNTER else GaugeMetricFamily
    return made(definition.name, definition.help, labels=("mirror", *definition.labels))


def _buckets(latency: Latency) -> list[tuple[str, float]]:
    """As Prometheus has them: each bucket counts all below its bound."""
    return list(zip(_LATENCY_BOUNDS, accumulate(latency.counts), strict=True))
