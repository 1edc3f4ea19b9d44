"""The command ``kmbridge`` as a user calls it: a process with an exit code and what it printed."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

COMMAND = (sys.executable, str(Path(sys.executable).with_name("kmbridge")))
"""``kmbridge`` of the environment that the tests run in."""


@dataclass(frozen=True, slots=True)
class Finished:
    code: int
    out: str
    err: str
    seconds: float


async def run_command(
    *arguments: object, environment: Mapping[str, str | None] | None = None, timeout_s: float = 60
) -> Finished:
    """Call it and wait for its end. ``environment`` changes ours; None takes a variable away."""
    changed = os.environ | dict(environment or {})
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={name: value for name, value in changed.items() if value is not None},
    )
    try:
        async with asyncio.timeout(timeout_s):
            out, err = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return Finished(process.returncode or 0, out.decode(), err.decode(), time.monotonic() - began)
