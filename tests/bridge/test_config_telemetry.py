"""The section ``telemetry``: what it takes, and what it says of the rest."""

from pathlib import Path

import pytest

from bridge.config import load, load_all
from tests.bridge.test_config_mistakes import VALID, messages


def test_sections_that_are_named_alone_have_their_defaults(tmp_path: Path) -> None:
    """``emf: {}`` is enough."""
    file = tmp_path / "o.yaml"
    file.write_text(f"{VALID}telemetry: {{emf: {{}}, traces: {{}}}}\n")
    telemetry = load([str(file)], environment={}).telemetry
    assert telemetry is not None
    assert telemetry.emf is not None
    assert (telemetry.emf.namespace, telemetry.emf.interval, telemetry.emf.per_partition) == ("kmbridge", 60.0, False)
    assert telemetry.traces is not None
    assert (telemetry.traces.endpoint, telemetry.traces.sample_ratio) == ("http://127.0.0.1:4318/v1/traces", 1.0)


MISTAKES = {
    "{emf: {namespace: AWS/Kinesis}}": "telemetry.emf.namespace",
    "{emf: {interval: 100ms}}": "telemetry.emf.interval",
    "{emf: {interval: 2h}}": "telemetry.emf.interval",
    "{emf: {per_partition: maybe}}": "telemetry.emf.per_partition",
    "{emf: {dimensions: {mirror: x}}}": "telemetry.emf.dimensions",
    "{emf: {dimensions: {kmbridge_lanes: x}}}": "telemetry.emf.dimensions",
    "{emf: {dimensions: {environment: ''}}}": "telemetry.emf.dimensions",
    "{emf: {dimensions: {a: x, b: x, c: x, d: x, e: x, f: x, g: x}}}": "telemetry.emf.dimensions",
    "{traces: {endpoint: collector}}": "telemetry.traces.endpoint",
    "{traces: {sample_ratio: 1.5}}": "telemetry.traces.sample_ratio",
    "{traces: {sample_ratio: 0}}": "telemetry.traces.sample_ratio",
}


@pytest.mark.parametrize(("section", "key"), MISTAKES.items())
def test_what_cloudwatch_or_a_collector_would_not_take_is_refused(tmp_path: Path, section: str, key: str) -> None:
    """At its key, and nothing else with it."""
    (message,) = messages(tmp_path, f"{VALID}telemetry: {section}\n")
    assert f": {key}: found " in message


def test_all_mirrors_of_a_process_tell_in_the_same_way(tmp_path: Path) -> None:
    """One process has one standard output: what one file says of it holds for all."""
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text(f"{VALID}telemetry: {{emf: {{namespace: shop}}}}\n")
    second.write_text(VALID.replace("name: orders", "name: payments").replace("topic: orders", "topic: payments"))
    process = load_all([str(first), str(second)], environment={}).process
    assert process.telemetry is not None
    assert process.telemetry.emf is not None
    assert process.telemetry.emf.namespace == "shop"
