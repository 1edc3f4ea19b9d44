"""``kmbridge verify`` as its operator has it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml

from tests.support.command import COMMAND
from tests.support.ends import End
from tests.support.ports import HOST, free_port
from tests.support.waiting import DeadlineError

_LOOK_S = 0.1
_END_S = 60


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


class Follower:
    """``kmbridge verify --follow`` while entered; leaving ends it."""

    def __init__(self, config: Path, behind: str) -> None:
        self._url = f"http://{HOST}:{free_port()}"
        listen = f"http.listen={self._url.removeprefix('http://')}"
        self._command = [*COMMAND, "verify", str(config), "--follow", "--behind", behind, "--set", listen, "--json"]
        self._out, self._err = config.parent / "follow.json", config.parent / "follow.log"
        self._process: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        self._process = await asyncio.to_thread(self._start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.wait)
        if error is not None:
            sys.stdout.write(self._err.read_text())

    async def until_metric(self, name: str, least: float, timeout_s: float = 60, **labels: str) -> None:
        """Wait until the samples with ``labels`` come to that much."""
        deadline = time.monotonic() + timeout_s
        while await self._metric(name, labels) < least:
            if time.monotonic() > deadline:
                raise DeadlineError(f"{name} at {least:g}: not within {timeout_s:g} s")
            await asyncio.sleep(_LOOK_S)

    async def stop(self) -> tuple[int, Mapping[str, Any]]:
        """Its exit code and its document, after one signal."""
        if self._process is None:
            raise RuntimeError("it was never started")
        self._process.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(self._process.wait, _END_S)
        document: Mapping[str, Any] = json.loads(await asyncio.to_thread(self._out.read_text))
        return code, document

    def _start(self) -> subprocess.Popen[bytes]:
        with self._out.open("wb") as out, self._err.open("wb") as err:
            return subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=out, stderr=err)

    async def _metric(self, name: str, labels: Mapping[str, str]) -> float:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self._url}/metrics") as answer:
                lines = (await answer.text()).splitlines()
        except aiohttp.ClientError:
            return 0.0
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        found = [line for line in lines if line.startswith(f"{name}{{") and all(each in line for each in wanted)]
        return sum(float(line.rpartition(" ")[2]) for line in found)
