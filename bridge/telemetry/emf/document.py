"""The numbers of one mirror at one moment as documents of the embedded metric format."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bridge.telemetry import names
from bridge.telemetry.names import Definition, Kind
from bridge.telemetry.samples import Sample

Document = Mapping[str, object]
Number = float | Sequence[float]

MOST_VALUES = 100
"""Of one metric in one document, by the format."""

MOST_DIMENSIONS = 9
"""Of one metric, by the format's first version; later ones allow more."""

_PARTITION = "partition"
_UNITS = (("_seconds", "Seconds"), ("_bytes", "Bytes"), ("_ratio", "None"))


@dataclass(frozen=True, slots=True)
class Frame:
    """What all documents of one mirror have in common."""

    namespace: str
    mirror: str
    dimensions: Mapping[str, str]
    """Of the operator's own, at most ``MOST_DIMENSIONS`` less three."""
    per_partition: bool
    """Give each partition metrics of its own: each of them is paid for."""


@dataclass(frozen=True, slots=True)
class _Group:
    """Metrics that share a document."""

    labels: Mapping[str, str]
    """As dimensions of theirs."""
    summed: bool
    """Whether they are counted without their labels too."""
    values: dict[Definition, Number]


def documents(frame: Frame, now_ms: int, samples: Iterable[Sample], latency_s: Sequence[float]) -> Iterator[Document]:
    """Counters in ``samples`` are increases. ``latency_s`` are at most ``MOST_VALUES`` latencies that stand for all.

    What partitions tell is one metric whose values are those of all partitions: its maximum, minimum, average and
    percentiles are over them. A counter with labels is a metric for each value, and one of all together.
    """
    groups: dict[tuple[Kind, tuple[str, ...], tuple[str, ...]], _Group] = {}
    plain = _Group({}, summed=False, values={})
    spread: dict[Definition, list[float]] = defaultdict(list)
    for definition, labels, value in samples:
        if definition.labels == (_PARTITION,):
            spread[definition].append(value)
            if not frame.per_partition:
                continue
        if not labels:
            plain.values[definition] = value
            continue
        own = dict(zip(definition.labels, labels, strict=True))
        group = _Group(own, summed=definition.kind is Kind.COUNTER, values={})
        groups.setdefault((definition.kind, definition.labels, labels), group).values[definition] = value
    if latency_s:
        plain.values[names.LATENCY_SECONDS] = latency_s
    parts = (_Group({}, summed=False, values=part) for part in _parts(spread))
    return (_document(frame, now_ms, group) for group in (plain, *parts, *groups.values()))


def _parts(spread: Mapping[Definition, Sequence[float]]) -> Iterator[dict[Definition, Number]]:
    """Of no more values than a document takes."""
    longest = max(map(len, spread.values()), default=0)
    for first in range(0, longest, MOST_VALUES):
        cut = {definition: values[first : first + MOST_VALUES] for definition, values in spread.items()}
        yield {definition: values for definition, values in cut.items() if values}


def _document(frame: Frame, now_ms: int, group: _Group) -> Document:
    common = {**frame.dimensions, "mirror": frame.mirror}
    sets = [[*common, *group.labels]]
    if group.summed:
        sets.insert(0, [*common])
    metrics = [{"Name": definition.name, "Unit": _unit(definition)} for definition in group.values]
    directive = {"Namespace": frame.namespace, "Dimensions": sets, "Metrics": metrics}
    return {
        "_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [directive]},
        **common,
        **group.labels,
        **{definition.name: value for definition, value in group.values.items()},
    }


def _unit(definition: Definition) -> str:
    name = definition.name.removesuffix("_total")
    return next((unit for ending, unit in _UNITS if name.endswith(ending) or f"{ending}_" in name), "Count")
