"""Signals: the first asks to stop, the second ends the process."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

_PROGRAM = """
import asyncio
from bridge.cli.stop import stopping

async def main():
    stopped = asyncio.Event()
    def stop(name):
        print(name, flush=True)
        stopped.set()
    with stopping(stop):
        print("ready", flush=True)
        await stopped.wait()
        {after}
asyncio.run(main())
"""

_BLOCKED = """
import asyncio
from bridge.cli.stop import stopping

async def main():
    with stopping(print, patience_s=0.2):
        print("ready", flush=True)
        while True:
            pass
asyncio.run(main())
"""

_UNBEGUN = """
import time
from bridge.cli.stop import quitting
with quitting():
    print("ready", flush=True)
    time.sleep(60)
"""


def _started(after: str) -> subprocess.Popen[str]:
    program = _PROGRAM.format(after=after)
    process = subprocess.Popen([sys.executable, "-c", program], stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_asks_to_stop(number: signal.Signals) -> None:
    """And leaves the rest, the exit code included, to the command."""
    process = _started("pass")
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, f"{number.name}\n", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize("after", ["await asyncio.sleep(60)", "while True: pass"])
def test_the_second_signal_ends_the_process(number: signal.Signals, code: int, after: str) -> None:
    """Even where the event loop is blocked; the exit code names the signal."""
    process = _started(after)
    assert process.stdout is not None
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "SIGTERM\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert process.returncode == code
    assert "forced by a second signal" in err


def test_a_signal_that_a_blocked_loop_does_not_hear_ends_the_process() -> None:
    """As where an async step blocks it for good: an orchestrator need not wait for its own patience to end."""
    process = subprocess.Popen([sys.executable, "-c", _BLOCKED], stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert "has blocked the event loop for 0.2 s" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_anything_is_begun_ends_the_process_well(number: signal.Signals) -> None:
    """While modules are still imported there is nothing to drain."""
    process = subprocess.Popen([sys.executable, "-c", _UNBEGUN], stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (0, "stopped before anything was begun\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("command", "code"), [("run", 0), ("verify", None)])
def test_a_signal_while_a_command_is_imported_shows_no_traceback(
    tmp_path: Path, number: signal.Signals, command: str, code: int | None
) -> None:
    """That takes a second on a busy machine; of ``run`` the first signal is answered by 0 as later."""
    (tmp_path / "imported.py").write_text(f"import signal\nsignal.raise_signal({int(number)})\nraise AssertionError\n")
    program = (
        "from bridge.cli import main\n"
        f"main.COMMANDS[{command!r}] = ('imported:command', 'A command.')\n"
        f"main.main([{command!r}])\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (128 + number if code is None else code, "", "")
