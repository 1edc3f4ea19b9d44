"""``kmbridge verify`` as its operator has it."""

import asyncio
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.support.command import COMMAND
from tests.support.ends import End


@dataclass(frozen=True, slots=True)
class Verified:
    """What it ended with."""

    code: int
    document: Mapping[str, Any]
    printed: str
    """To stderr."""
    peak: int
    """Bytes of memory that it held at most."""
    cpu_s: float

    @property
    def found(self) -> dict[str, int]:
        """How many of each kind of difference, of those of which there are any."""
        return {kind: each["count"] for kind, each in self.document["differences"].items() if each["count"]}


async def verified(config: Path, *options: str) -> Verified:
    """Let it compare what ``config`` names."""
    return await asyncio.to_thread(_run, [*COMMAND, "verify", str(config), "--json", *options], config.parent)


def written(folder: Path, source: End, sink: End, more: Mapping[str, Any] | None = None) -> Path:
    """A configuration of a mirror between the two."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "verified.yaml"
    asked = {"name": "verified", "source": source.section, "sink": sink.section, "http": None, **(more or {})}
    config.write_text(yaml.safe_dump(asked))
    return config


def _run(command: list[str], folder: Path) -> Verified:
    out, err = folder / "verify.json", folder / "verify.log"
    with out.open("wb") as result, err.open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=result, stderr=log, cwd=folder)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    text = out.read_text()
    return Verified(
        process.returncode,
        json.loads(text) if text else {},
        err.read_text(),
        usage.ru_maxrss * 1024,
        usage.ru_utime + usage.ru_stime,
    )
