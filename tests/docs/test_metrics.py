"""Metrics that the pages name."""

import re
from collections.abc import Mapping

from tests.docs.pages import pages
from tests.support.metric_names import series, series_of_writers

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


def _are_known(names: list[str], labels: set[str], known: Mapping[str, frozenset[str]]) -> bool:
    return bool(names) and all(name in known and labels <= known[name] for name in names)


def _metrics() -> Mapping[str, frozenset[str]]:
    """The labels of each, by the names as they are scraped: a mirror's, and those of applications that write twice."""
    found = dict(series())
    # A histogram is called by the name that its three series begin with.
    found |= {name.removesuffix("_bucket"): labels for name, labels in found.items() if name.endswith("_bucket")}
    return found | series_of_writers()
