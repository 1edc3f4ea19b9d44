"""Signals: the first asks to stop, the second ends the process."""

import signal
import subprocess
import sys

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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_anything_is_begun_ends_the_process_well(number: signal.Signals) -> None:
    """While modules are still imported there is nothing to drain."""
    process = subprocess.Popen([sys.executable, "-c", _UNBEGUN], stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (0, "stopped before anything was begun\n")
