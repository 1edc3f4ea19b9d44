"""The runbook and the program say the same."""

import re
from pathlib import Path

from bridge.cli import failure
from tests.deploy.log_events import texts, urgent_events

RUNBOOK = (Path(__file__).parents[2] / "docs/runbook.md").read_text()


def test_every_urgent_log_event_has_its_line() -> None:
    """Whoever finds a warning or an error in the log finds it here, in the same words."""
    told = set(re.findall(r"^\| `([^`]+)` \|", RUNBOOK, re.MULTILINE))
    assert urgent_events() - told == set()


def test_no_line_is_of_an_event_that_is_gone() -> None:
    """What the runbook explains can be in the log."""
    told = set(re.findall(r"^\| `([^`]+)` \|", RUNBOOK.partition("## Log events")[2], re.MULTILINE))
    assert told - texts() == set()


def test_every_exit_code_is_explained() -> None:
    """A code that an orchestrator shows has its line."""
    told = {int(code) for codes in re.findall(r"^\| ([\d, ]+) \|", RUNBOOK, re.MULTILINE) for code in codes.split(",")}
    assert {0, failure.FAILED, failure.WRONG_USAGE, failure.ENDPOINT, 130, 143} <= told
