"""The metrics of mirrors for Prometheus, made at each scrape from what the mirrors tell at that moment."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from bridge.engine.status import LATENCY_BOUNDS_S, LaneState, Latency, MirrorStatus
from bridge.telemetry import names
from bridge.telemetry.counters import Counts
from bridge.telemetry.names import Definition, Kind
from bridge.telemetry.observed import ObservedMirror

Sample = tuple[Definition, tuple[str, ...], float]
"""A metric, the values of its own labels, and its value."""

_LATENCY_BOUNDS = (*(str(bound) for bound in LATENCY_BOUNDS_S), "+Inf")


def registry(mirrors: Sequence[ObservedMirror]) -> CollectorRegistry:
    """A registry of ``mirrors`` alone: nothing of the process, nothing global."""
    made = CollectorRegistry(auto_describe=False)
    made.register(MirrorCollector(mirrors))
    return made


class MirrorCollector(Collector):
    """Holds no series itself: what a mirror no longer tells, like a finished partition, is gone at the next scrape."""

    def __init__(self, mirrors: Sequence[ObservedMirror]) -> None:
        self._mirrors = mirrors

    def collect(self) -> Iterable[Metric]:
        families = {definition: _family(definition) for definition in names.scalars()}
        latency = HistogramMetricFamily(names.LATENCY_SECONDS.name, names.LATENCY_SECONDS.help, labels=("mirror",))
        for mirror in self._mirrors:
            status = mirror.status()
            for definition, labels, value in _samples(status, mirror.counts()):
                families[definition].add_metric((mirror.name, *labels), value)
            latency.add_metric((mirror.name,), _buckets(status.latency), status.latency.sum_s)
        return [*families.values(), latency]


def _family(definition: Definition) -> CounterMetricFamily | GaugeMetricFamily:
    family = CounterMetricFamily if definition.kind is Kind.COUNTER else GaugeMetricFamily
    return family(definition.name, definition.help, labels=("mirror", *definition.labels))


def _samples(status: MirrorStatus, counts: Counts) -> Iterator[Sample]:
    yield names.RECORDS_READ, (), status.records_read
    yield names.BYTES_READ, (), status.bytes_read
    yield names.RECORDS_WRITTEN, (), status.records_written
    yield names.BYTES_WRITTEN, (), status.bytes_written
    yield names.GAPS, (), status.gaps
    yield names.BUFFERED_BYTES, (), status.buffered_bytes
    for reason, count in status.dead_letters.items():
        yield names.DEAD_LETTER_RECORDS, (reason,), count
    for reason, count in status.skipped.items():
        yield names.SKIPPED_RECORDS, (reason,), count
    yield from _lanes(status)
    yield from _connectors(counts)


def _lanes(status: MirrorStatus) -> Iterator[Sample]:
    for state in LaneState:
        yield names.LANES, (state.value,), sum(lane.state is state for lane in status.lanes)
    for lane in status.lanes:
        if lane.state in (LaneState.COMPLETE, LaneState.FINISHED):
            continue
        yield names.LAG_SECONDS, (lane.partition,), lane.lag_ms / 1000
        if lane.lag_records is not None:
            yield names.LAG_RECORDS, (lane.partition,), lane.lag_records
        if lane.checkpoint_age_ms is not None:
            yield names.CHECKPOINT_AGE_SECONDS, (lane.partition,), lane.checkpoint_age_ms / 1000


def _connectors(counts: Counts) -> Iterator[Sample]:
    for (operation, reason), count in counts.retries.items():
        yield names.RETRIES, (operation, reason), count
    for operation, count in counts.throttled.items():
        yield names.THROTTLED, (operation,), count
    if counts.bytes_before:
        yield names.COMPRESSED_RATIO, (), counts.bytes_after / counts.bytes_before


def _buckets(latency: Latency) -> list[tuple[str, float]]:
    """As Prometheus has them: each bucket counts all below its bound."""
    return list(zip(_LATENCY_BOUNDS, accumulate(latency.counts), strict=True))
