"""Other programs, whose failure is ours."""

import os
import subprocess
from pathlib import Path

_TAIL = 3_000
# Of a checkout or of another environment: what is tried stands on what it brings.
_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


class ReleaseError(Exception):
    """Something is not fit to be published; the text says what."""


def run(*command: object, folder: Path | None = None) -> str:
    """What ``command`` printed, in ``folder`` or here. Raises ``ReleaseError`` where it failed."""
    environment = {name: value for name, value in os.environ.items() if name not in _OURS}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        shown = " ".join(str(word) for word in command)
        raise ReleaseError(f"'{shown}' ended with {done.returncode}:\n{done.stdout[-_TAIL:]}")
    return done.stdout
