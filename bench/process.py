"""The process of a program under measurement."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_S = 30.0
_LOG_TAIL = 2_000


class TrialError(Exception):
    """The program ended early, or did not bring everything over in time. Holds the end of what it printed."""


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Killed on leaving, if it still runs. What it prints is in ``log``."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def checked(command: Sequence[str], code: int, log: Path) -> None:
    """Raises ``TrialError`` where ``command`` ended with another code than 0."""
    if code != 0:
        raise TrialError(f"{command[0]} ended with {code}; it printed: {printed(log)}")


def printed(log: Path) -> str:
    return log.read_text(errors="replace")[-_LOG_TAIL:].strip() or "(nothing)"
