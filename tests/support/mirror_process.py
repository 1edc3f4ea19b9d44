"""The product as its operator has it: a process of ``kmbridge run`` with a configuration, logs and an HTTP port."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import yaml

from checkpoints.base import Checkpoint
from checkpoints.sqlite.store import SqliteReader
from tests.support.command import COMMAND
from tests.support.ports import HOST, free_port
from tests.support.waiting import DeadlineError

Status = Mapping[str, Any]

_NAME = "mirror"
_INTERVAL_S = 0.05
_ASK_TIMEOUT_S = 5
_END_TIMEOUT_S = 60
_LOG_TAIL = 3_000


class EndedError(Exception):
    """The process ended while something was awaited of it. Holds the end of what it printed."""


class MirrorProcess:
    """One mirror with a folder of its own, which holds its configuration, checkpoints and logs from life to life.

    Entering starts it and waits until it is ready; leaving kills whatever is left of it.
    """

    def __init__(
        self,
        folder: Path,
        source: Mapping[str, Any],
        sink: Mapping[str, Any],
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """``source`` and ``sink`` are these sections of the configuration.

        ``more`` are keys of it, put into ours section by section: ``{"limits": {…}}``. None takes one of ours away.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / f"{_NAME}.yaml"
        self.database = folder / f"{_NAME}.db"
        self._log = folder / "stderr.log"
        self.url = f"http://{HOST}:{free_port()}"
        ours: dict[str, Any] = {
            "name": _NAME,
            "source": dict(source),
            "sink": dict(sink),
            "checkpoints": {"sqlite": {"path": str(self.database)}},
            "http": {"listen": self.url.removeprefix("http://")},
            "log": {"format": "json", "level": "info"},
        }
        self.config.write_text(yaml.safe_dump(_merged(ours, more or {})))
        self._child: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> Self:
        self.start()
        await self.ready()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._left(error)

    @asynccontextmanager
    async def running(self, *command: str) -> AsyncIterator[None]:
        """Start it by another command, with options, without waiting; leaving kills whatever is left of it."""
        self.start(*command)
        try:
            yield
        finally:
            await self._left(sys.exception())

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether its process is there; frozen counts."""
        return self._child is not None and self._child.poll() is None

    @property
    def _process(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise RuntimeError("the mirror was never started")
        return self._child

    def start(self, *command: str) -> None:
        """Start it, or the next life of it, as ``run`` or by another command with options; does not wait."""
        if self.is_running:
            raise RuntimeError("the mirror runs already")
        with self._log.open("ab") as log:
            self._child = subprocess.Popen(
                [*COMMAND, *(command or ("run",)), str(self.config)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.config.parent,
                start_new_session=True,
            )

    async def kill(self) -> None:
        """End it without a chance to save anything."""
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    async def stop(self) -> int:
        """Drain it with one signal; its exit code."""
        self.signal(signal.SIGTERM)
        return await self.ended()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self, timeout_s: float = _END_TIMEOUT_S) -> int:
        """Its exit code, once it ends."""
        try:
            return await asyncio.to_thread(self._process.wait, timeout_s)
        except subprocess.TimeoutExpired:
            raise DeadlineError(f"end of the mirror: not within {timeout_s:g} s; {self._tail()}") from None

    def printed(self) -> str:
        """What all its lives wrote to stdout and stderr."""
        return self._log.read_text(errors="replace")

    async def ask(self, path: str) -> tuple[int, str]:
        """The answer of its HTTP port: status and body. Raises ``aiohttp.ClientError`` where nobody listens."""
        timeout = aiohttp.ClientTimeout(_ASK_TIMEOUT_S)
        async with (
            aiohttp.ClientSession(self.url, timeout=timeout) as session,
            session.get(path) as answer,
        ):
            return answer.status, await answer.text()

    async def status(self) -> Status:
        """What /status says."""
        _, body = await self.ask("/status")
        document: Status = json.loads(body)
        return document

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that carry ``labels``; 0 where there is none."""
        _, body = await self.ask("/metrics")
        return sum(_samples(body, name, labels))

    async def ready(self, timeout_s: float = 30) -> None:
        """Wait for /readyz."""
        await self._until(self._is_ready, "the mirror is ready", timeout_s)

    async def until(self, condition: Callable[[Status], bool], what: str, timeout_s: float = 60) -> None:
        """Wait until ``condition`` holds for what /status says."""

        async def holds() -> bool:
            return condition(await self.status())

        await self._until(holds, what, timeout_s)

    async def until_written(self, records: int, timeout_s: float = 60) -> None:
        """Wait until this life has made as many records durable."""
        await self.until(lambda status: status["records_total"] >= records, f"{records} records written", timeout_s)

    async def until_metric(self, name: str, least: float, timeout_s: float = 30) -> None:
        """Wait until a metric is that large."""

        async def holds() -> bool:
            return await self.metric(name) >= least

        await self._until(holds, f"{name} at {least:g}", timeout_s)

    async def until_behind(self, records: int, timeout_s: float = 30) -> None:
        """Wait until so many records are read and not yet durable."""

        async def holds() -> bool:
            read = await self.metric("kmbridge_records_read_total")
            return read - await self.metric("kmbridge_records_written_total") >= records

        await self._until(holds, f"{records} records on their way", timeout_s)

    async def until_printed(self, text: str, times: int = 1, timeout_s: float = 60) -> None:
        """Wait until its lives have written ``text`` as many times."""

        async def holds() -> bool:
            return self.printed().count(text) >= times

        await self._until(holds, f"{text!r} printed", timeout_s)

    async def until_checkpointed(
        self, condition: Callable[[Mapping[str, Checkpoint]], bool], what: str, timeout_s: float = 30
    ) -> None:
        """Wait until ``condition`` holds for the stored checkpoints."""

        async def holds() -> bool:
            return condition(await self.checkpoints())

        await self._until(holds, what, timeout_s)

    async def checkpoints(self) -> Mapping[str, Checkpoint]:
        """What is stored, whether it runs or not."""
        return await SqliteReader(self.database, _NAME).load()

    def peak_memory(self) -> int:
        """Bytes that it held at most, while it runs. Raises ``FileNotFoundError`` on other systems than Linux."""
        text = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(r"VmHWM:\s+(\d+) kB", text)[0]) * 1024

    def cpu_seconds(self) -> float:
        """Processor time so far, while it runs. Raises ``FileNotFoundError`` on other systems than Linux."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))

    async def _is_ready(self) -> bool:
        status, _ = await self.ask("/readyz")
        return status == 200

    async def _until(self, condition: Callable[[], Any], what: str, timeout_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not await self._holds(condition):
            code = self._process.poll()
            if code is not None:
                raise EndedError(f"ended with {code} before this: {what}; {self._tail()}")
            if asyncio.get_running_loop().time() > deadline:
                raise DeadlineError(f"{what}: not within {timeout_s:g} s; {self._tail()}")
            await asyncio.sleep(_INTERVAL_S)

    async def _holds(self, condition: Callable[[], Any]) -> bool:
        try:
            return bool(await condition())
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _left(self, error: BaseException | None) -> None:
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            await asyncio.to_thread(self._child.wait)
        if error is not None:
            sys.stdout.write(f"the mirror printed:\n{self.printed()[-_LOG_TAIL:]}\n")

    def _tail(self) -> str:
        return f"it printed: {self.printed()[-_LOG_TAIL:] or '(nothing)'}"


def _merged(ours: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """``ours`` with every key of ``more``, sections put together; without those that are None there."""
    merged = dict(ours)
    for key, value in more.items():
        old = merged.get(key)
        merged[key] = _merged(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return {key: value for key, value in merged.items() if value is not None}


def _samples(text: str, name: str, labels: Mapping[str, str]) -> list[float]:
    """Values of the samples of a metric in Prometheus' text format."""
    lines = re.findall(rf"^{re.escape(name)}(\{{.*\}})? (\S+)$", text, re.MULTILINE)
    wanted = [f'{label}="{value}"' for label, value in labels.items()]
    return [float(value) for found, value in lines if all(want in found for want in wanted)]
