"""Which alerts fire of what a mirror really tells, with Prometheus's own tool as the judge."""

import subprocess
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.support.missing import give_up
from tests.support.provision import MissingServerError, promtool

RULES = Path(__file__).parents[2] / "deploy/prometheus/kmbridge.rules.yml"

_MINUTES = 16
"""For how long each scrape is repeated: longer than any alert that is looked for waits."""

_LATER = _MINUTES - 2
"""So long after the last scrape the alerts are looked at: less than those on new series look back."""


def judged(*arguments: str | Path) -> str:
    """What promtool prints. The test is skipped, or fails, where there is none; it fails where promtool does."""
    try:
        tool = promtool()
    except MissingServerError as error:
        give_up(error)
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_firing(folder: Path, expected: Collection[str], *scrapes: str) -> None:
    """Exactly the alerts ``expected`` fire at the end of ``scrapes``, texts of /metrics each of which stays as it is
    for a quarter of an hour. Before the first there was nothing. Blocks.
    """
    at = f"{_MINUTES * len(scrapes) + _LATER}m"
    samples = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(expected)]
    asked = {"expr": 'count by (alertname) (ALERTS{alertstate="firing"})', "eval_time": at, "exp_samples": samples}
    case = {"interval": "1m", "input_series": [*_series(scrapes)], "promql_expr_test": [asked]}
    file = folder / "alerts.test.yml"
    file.write_text(yaml.safe_dump({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": [case]}))
    judged("test", "rules", file)


def _series(scrapes: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    told = [_values(scrape) for scrape in scrapes]
    for name in sorted({name for values in told for name in values}):
        parts = [f"_x{_MINUTES}"]
        parts += [f"{values[name]:f}x{_MINUTES - 1}" if name in values else f"_x{_MINUTES}" for values in told]
        yield {"series": name, "values": " ".join(parts)}


def _values(scrape: str) -> dict[str, float]:
    """By the series as PromQL writes it."""
    return {
        sample.name
        + "{"
        + ", ".join(f'{label}="{value}"' for label, value in sample.labels.items())
        + "}": sample.value
        for family in text_string_to_metric_families(scrape)
        for sample in family.samples
    }
