"""What the names in a query may be: those of the metrics that there are."""

from collections.abc import Iterator

from bridge.telemetry.names import MIRROR, PARITY, Kind
from tests.support.promql import names_in

_LABELS_OF_THE_SCRAPE = {"job", "instance"}


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


def strangers(expression: str) -> Iterator[str]:
    """What ``expression`` names and no metric of ours has."""
    known = series()
    named = names_in(expression)
    for metric, labels in named.selectors:
        if metric not in known:
            yield metric
        else:
            yield from (f"{metric}{{{label}}}" for label in sorted(labels - known[metric]))
    labels = frozenset().union(*(known.get(metric, frozenset()) for metric, _ in named.selectors))
    yield from sorted(named.grouped - labels)
