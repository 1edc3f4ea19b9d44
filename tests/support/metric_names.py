"""What the names in a query may be: those of the metrics that there are."""

from collections.abc import Iterator

from bridge.migration.dual_write.metrics import DualWriteMetrics
from bridge.telemetry.names import MIRROR, PARITY, Kind
from tests.support.promql import names_in

_LABELS_OF_THE_SCRAPE = {"job", "instance"}
_SUFFIXES = {"counter": "_total", "gauge": ""}
_LABELS_OF_ONE = {
    "kmbridge_dual_write_shadow_rejected_records": "reason",
    "kmbridge_dual_write_healed_records": "outcome",
}


def series() -> dict[str, frozenset[str]]:
    """The name of every series there can be, with its labels."""
    found: dict[str, frozenset[str]] = {}
    for each in (*MIRROR, *PARITY):
        labels = frozenset({"mirror", *each.labels, *_LABELS_OF_THE_SCRAPE})
        if each.kind is Kind.HISTOGRAM:
            found |= {f"{each.name}_bucket": labels | {"le"}, f"{each.name}_count": labels, f"{each.name}_sum": labels}
        else:
            found[each.name] = labels
    return found


def series_of_writers() -> dict[str, frozenset[str]]:
    """The same of an application that writes to two places."""
    found: dict[str, frozenset[str]] = {}
    for family in DualWriteMetrics({}).describe():
        more = {_LABELS_OF_ONE[family.name]} if family.name in _LABELS_OF_ONE else set()
        found[f"{family.name}{_SUFFIXES[family.type]}"] = frozenset({"writer", *more, *_LABELS_OF_THE_SCRAPE})
    return found


def strangers(expression: str) -> Iterator[str]:
    """What ``expression`` names and no metric of ours has."""
    known = series() | series_of_writers()
    named = names_in(expression)
    for metric, labels in named.selectors:
        if metric not in known:
            yield metric
        else:
            yield from (f"{metric}{{{label}}}" for label in sorted(labels - known[metric]))
    labels = frozenset().union(*(known.get(metric, frozenset()) for metric, _ in named.selectors))
    yield from sorted(named.grouped - labels)
