"""Calls the command in this process, as its entry point does."""

from dataclasses import dataclass

import pytest

from bridge.cli.main import main


@dataclass(frozen=True, slots=True)
class Called:
    code: int
    out: str
    err: str


def call(capsys: pytest.CaptureFixture[str], *arguments: object) -> Called:
    """What ``kmbridge`` with ``arguments`` printed, and its exit code."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return Called(left.value.code, printed.out, printed.err)
