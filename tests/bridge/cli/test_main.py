"""The command's surface: names, help, exit codes, and how failures are told."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from bridge.cli.failure import exit_code, report
from bridge.cli.main import COMMANDS
from bridge.errors import BridgeError, UsageError
from checkpoints.base import CheckpointError, StoreBusyError, StoreSettingsError
from connectors.base import GapError, RefusedError, TransientError, UnreachableError
from tests.bridge.cli.called import call


def test_the_version_is_that_of_the_distribution(capsys: pytest.CaptureFixture[str]) -> None:
    """--version is for bug reports."""
    called = call(capsys, "--version")
    assert (called.code, called.out) == (0, f"kmbridge {version('kmbridge')}\n")


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """With its line."""
    called = call(capsys, "--help")
    assert called.code == 0
    for name, (_, line) in COMMANDS.items():
        assert f"  {name}" in called.out
        assert line in called.out


def test_the_help_imports_nothing_heavy() -> None:
    """A command line that takes a second to complain is not used."""
    code = (
        "import sys; from bridge.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stderr.split())
    assert not loaded & {"botocore", "aiobotocore", "confluent_kafka", "aiohttp", "pydantic", "yaml", "moto"}


@pytest.mark.parametrize(
    "arguments",
    [("rnu",), ("config", "chekc"), ("config", "check"), ("config", "check", "x", "--foo"), ("--foo",), ("run",)],
)
def test_wrong_usage_exits_2(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    """And says on stderr what was wrong."""
    called = call(capsys, *arguments)
    assert called.code == 2
    assert called.out == ""
    assert "Usage: kmbridge" in called.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("a", "b"), 2),
        (BridgeError("a", "b"), 1),
        (UnreachableError("a", "b"), 3),
        (RefusedError("a", "b"), 3),
        (TransientError("a", "b"), 1),
        (GapError("a", "b", lost_from="c", lost_to="d", resume=None), 1),
        (CheckpointError("a", "b"), 1),
        (StoreBusyError("a", "b"), 1),
        (StoreSettingsError("a", "b"), 2),
        (ZeroDivisionError(), None),
    ],
)
def test_each_class_of_failure_has_its_exit_code(error: Exception, code: int | None) -> None:
    """A bug has none: it keeps its traceback."""
    assert exit_code(error) == code


@pytest.mark.parametrize("error", [UsageError("a", "\x1b[2J\u202eb", "c\x07"), BridgeError("a", "\x1b[2J\u202eb\x07")])
def test_an_error_does_not_tell_the_terminal_what_to_do(capsys: pytest.CaptureFixture[str], error: BridgeError) -> None:
    """What a file or a server has put into it is shown, and nothing of it is carried out."""
    report(error)
    shown = capsys.readouterr().err
    assert all(each.isprintable() for each in shown.splitlines())
    assert r"\x1b[2J\u202eb" in shown
