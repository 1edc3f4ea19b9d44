"""Metrics that the pages name."""

import re
from collections.abc import Mapping

from bridge.migration.dual_write.metrics import DualWriteMetrics
from bridge.telemetry.names import Kind, definitions
from bridge.telemetry.parity import ParityCounts
from tests.docs.pages import pages

_NAME = re.compile(r"\b(kmbridge_[a-z_]*)(\*?)(?:\{([^}]*)\})?")
_LABEL = re.compile(r"(\w+)(?:=~|!~|!=|=|,|$)")


def test_every_metric_in_the_pages_exists_with_its_labels() -> None:
    """A query that is copied from a page finds its series; a name with a ``*`` begins those of several."""
    known = _metrics()
    unknown = []
    for page in pages():
        for piece in (*page.spans(), *page.texts(), *page.blocks()):
            for name, several, labels in _NAME.findall(piece.text):
                found = [each for each in known if each.startswith(name)] if several or name[-1] == "_" else [name]
                if not _are_known(found, set(_LABEL.findall(labels)), known):
                    unknown.append(f"{piece.where}: {name}{several} {labels}")
    assert not unknown


def _are_known(names: list[str], labels: set[str], known: Mapping[str, set[str]]) -> bool:
    return bool(names) and all(name in known and labels <= known[name] for name in names)


def _metrics() -> Mapping[str, set[str]]:
    """The labels of each, by the names as they are scraped."""
    found: dict[str, set[str]] = {}
    for definition in definitions():
        ends = ("", "_bucket", "_sum", "_count") if definition.kind is Kind.HISTOGRAM else ("",)
        found |= {definition.name + end: {"mirror", "le", *definition.labels} for end in ends}
    for family in (*ParityCounts("orders").collect(), *DualWriteMetrics({}).describe()):
        end = "_total" if family.type == "counter" else ""
        found[family.name + end] = {"mirror", "writer", "kind", "reason", "outcome"}
    return found
