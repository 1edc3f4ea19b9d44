"""``kmbridge doctor``: what is printed, and the exit code."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import bridge.doctor
from bridge.config import Configuration
from bridge.doctor import DoctorReport, Finding, Severity
from tests.bridge.cli.called import Called, call

FINE = Finding("order", Severity.OK, "the stream keeps it")
WARNED = Finding("topic", Severity.WARNING, "one replica", "it may be lost", "make it three")
BROKEN = Finding("identity", Severity.FAILED, "another topic", "it was recreated", "reset")
LOST = Finding("reachability", Severity.FAILED, "the sink is not reached", "nobody answers", "check its address")

Examine = Callable[..., Called]


@pytest.fixture
def examine(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Examine:
    """Calls the command where these are the findings."""
    config = tmp_path / "orders.yaml"
    config.write_text(
        "name: orders\n"
        "source: {kinesis: {stream: orders, region: eu-west-1}}\n"
        "sink: {kafka: {bootstrap_servers: [b-1:9092], topic: orders}}\n"
    )

    def call_it(*findings: Finding, options: tuple[str, ...] = ()) -> Called:
        async def found(asked: Configuration) -> DoctorReport:
            return DoctorReport(asked.name, findings)

        monkeypatch.setattr(bridge.doctor, "doctor", found)
        return call(capsys, "doctor", config, *options)

    return call_it


@pytest.mark.parametrize(
    ("findings", "code"),
    [((FINE,), 0), ((FINE, WARNED), 0), ((WARNED, BROKEN), 1), ((BROKEN, LOST), 3)],
)
def test_the_exit_code_is_the_worst_of_the_findings(examine: Examine, findings: tuple[Finding, ...], code: int) -> None:
    """Warnings are allowed, and an end that is not reached is more than a failed check."""
    assert examine(*findings).code == code


def test_elsewhere_than_on_a_terminal_it_prints_lines(examine: Examine) -> None:
    """One a finding, and one that counts them."""
    assert examine(FINE, WARNED).out.splitlines() == [
        "check\tresult\tfound\tremedy",
        "order\tok\tthe stream keeps it\t",
        "topic\twarning\tone replica: it may be lost\tmake it three",
        "1 ok, 1 warning, 0 failed, 0 skipped",
    ]


def test_a_terminal_gets_a_table(examine: Examine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all that the lines say."""
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    printed = examine(WARNED).out
    assert "─" in printed
    assert "one replica: it may be lost" in printed


def test_json_has_every_finding_in_parts(examine: Examine) -> None:
    """For programs."""
    document = json.loads(examine(WARNED, options=("--json",)).out)
    assert document == {
        "mirror": "orders",
        "healthy": True,
        "counts": {"ok": 0, "warning": 1, "failed": 0, "skipped": 0},
        "findings": [
            {
                "check": "topic",
                "severity": "warning",
                "found": "one replica",
                "reason": "it may be lost",
                "remedy": "make it three",
            }
        ],
    }
