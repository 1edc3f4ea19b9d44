"""The alert rules for Prometheus, its own tool as the judge."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.alerts import RULES, judged
from tests.support.metric_names import series, series_of_writers, strangers

_ROOT = Path(__file__).parents[2]
CASES = _ROOT / "deploy/prometheus/kmbridge.rules.test.yml"
RUNBOOK = _ROOT / "docs/runbook.md"


@cache
def alerts() -> dict[str, dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return {rule["alert"]: rule for rule in group["rules"]}


@cache
def cases() -> dict[str, set[str]]:
    """The alerts that fire in each case, by the case's name."""
    found: dict[str, set[str]] = {}
    for case in yaml.safe_load(CASES.read_text())["tests"]:
        (asked,) = case["promql_expr_test"]
        found[case["name"]] = {name for name in alerts() if f'"{name}"' in str(asked["exp_samples"])}
    return found


def test_promtool_accepts_the_rules() -> None:
    """Every expression and every template is one that Prometheus takes."""
    assert f"SUCCESS: {len(alerts())} rules found" in judged("check", "rules", RULES)


def test_every_case_fires_the_alerts_that_it_names_and_no_others() -> None:
    """Each alert's condition, made of series as a mirror tells them, is evaluated by Prometheus itself."""
    assert "SUCCESS" in judged("test", "rules", CASES)


@pytest.mark.parametrize("name", sorted(alerts()))
def test_every_alert_has_a_case_that_fires_and_one_that_is_silent(name: str) -> None:
    """No alert is untested in either direction."""
    firing = [fired for case, fired in cases().items() if case.startswith(f"{name} fires: ")]
    silent = [fired for case, fired in cases().items() if case.startswith(f"{name} is silent: ")]
    assert firing
    assert silent
    assert all(name in fired for fired in firing)
    assert not any(name in fired for fired in silent)


@pytest.mark.parametrize("name", sorted(alerts()))
def test_every_alert_rests_on_metrics_that_exist(name: str) -> None:
    """A metric or label that nobody tells would make an alert that never fires."""
    assert not [*strangers(alerts()[name]["expr"])]


@pytest.mark.parametrize("name", sorted(alerts()))
def test_every_alert_tells_whoever_is_woken_what_to_do(name: str) -> None:
    """It has a severity, a summary that names whom it is about, and its entry of the runbook with something to do."""
    rule = alerts()[name]
    assert rule["labels"]["severity"] in ("critical", "warning")
    annotations = rule["annotations"]
    assert "$labels.mirror" in annotations["summary"] or "$labels.writer" in annotations["summary"]
    assert annotations["description"].endswith(".")
    assert annotations["runbook_url"] == f"docs/runbook.md#{name.lower()}"
    entry = RUNBOOK.read_text().partition(f"\n### {name}\n")[2].partition("\n### ")[0]
    for part in ("**Means.**", "**Causes.**", "**Look at.**", "**Do.**"):
        assert part in entry, f"{name}: {part}"


def test_the_runbook_has_no_entry_of_an_alert_that_is_gone() -> None:
    """Whoever looks an alert up finds those that there are."""
    lines = RUNBOOK.read_text().splitlines()
    assert [line[4:] for line in lines if line.startswith("### Kmbridge")] == [*alerts()]


def test_series_in_the_cases_are_those_of_a_mirror_or_a_writer() -> None:
    """A case made of series that nobody tells would prove nothing."""
    known = series() | series_of_writers()
    for case in yaml.safe_load(CASES.read_text())["tests"]:
        for each in case["input_series"]:
            name, _, labels = each["series"].partition("{")
            assert name in known
            assert {label.split("=")[0].strip() for label in labels.rstrip("}").split(",")} <= known[name]
