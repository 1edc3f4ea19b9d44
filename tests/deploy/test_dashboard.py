"""The dashboard for Grafana."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import yaml

from tests.support.alerts import judged
from tests.support.metric_names import series, strangers
from tests.support.promql import names_in

DASHBOARD = Path(__file__).parents[2] / "deploy/grafana/kmbridge.json"
ROWS = ["Overview", "Lanes", "Delivery", "Faults", "Parity"]


@cache
def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text())
    return found


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = dashboard()["panels"]
    return found


def expressions() -> Iterator[str]:
    """Every query, with values for the variables of Grafana."""
    written = [target["expr"] for panel in panels() for target in panel.get("targets", ())]
    written += [each["expr"] for each in dashboard()["annotations"]["list"]]
    return (each.replace("$__rate_interval", "5m").replace("$mirror", "orders") for each in written)


def test_every_query_rests_on_metrics_that_exist() -> None:
    """A name that nobody tells would be an empty panel."""
    assert not [stranger for expression in expressions() for stranger in strangers(expression)]


def test_prometheus_takes_every_query(tmp_path: Path) -> None:
    """Each, as a rule that records it, is one that promtool parses."""
    rules = [{"record": f"panel:{number}", "expr": text} for number, text in enumerate(expressions())]
    file = tmp_path / "panels.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    assert f"SUCCESS: {len(rules)} rules found" in judged("check", "rules", file)


def test_every_metric_is_shown() -> None:
    """What is worth telling is worth a look."""
    shown = {metric for expression in expressions() for metric, _ in names_in(expression).selectors}
    assert set(series()) - shown == set()


def test_every_query_is_of_the_mirrors_that_are_chosen_and_of_the_source_of_data() -> None:
    """One dashboard serves any number of mirrors and of Prometheus servers."""
    assert {each["name"] for each in dashboard()["templating"]["list"]} == {"datasource", "mirror"}
    for panel in panels():
        for target in panel.get("targets", ()):
            assert target["datasource"]["uid"] == "${datasource}"
            assert all("mirror" in labels for _, labels in names_in(target["expr"]).selectors)


def test_it_can_be_provisioned() -> None:
    """It has an id of its own that never changes, and nothing of the Grafana that it was made in."""
    assert dashboard()["uid"] == "kmbridge"
    assert "id" not in dashboard()
    assert "__inputs" not in dashboard()
    ids = [panel["id"] for panel in panels()]
    assert len(ids) == len(set(ids))


def test_panels_stand_in_their_rows_and_none_covers_another() -> None:
    """Each has a title and says what it shows."""
    assert [panel["title"] for panel in panels() if panel["type"] == "row"] == ROWS
    shown = [panel for panel in panels() if panel["type"] != "row"]
    assert all(panel["title"] and panel["description"] for panel in shown)
    assert not [(one["title"], other["title"]) for one, other in combinations(shown, 2) if _overlap(one, other)]


def _overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    first, second = one["gridPos"], other["gridPos"]
    return all(
        first[start] < second[start] + second[size] and second[start] < first[start] + first[size]
        for start, size in (("x", "w"), ("y", "h"))
    )
