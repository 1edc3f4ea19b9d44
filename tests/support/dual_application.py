"""An application that writes to two places, in a process of its own, to be killed.

``python -m tests.support.dual_application SETTINGS`` sends the generated records that nobody acknowledged in an
earlier life, notes each that is acknowledged, and ends once both ends have all. SETTINGS is a file of ``Asked``.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import msgspec

from bridge.migration.dual_write import DualWriter, DualWriteSettings, KafkaTarget, KinesisTarget, Target
from connectors.codecs.catalogue import CodecName
from tests.support.ends import End, StreamEnd, TopicEnd
from tests.support.kinesis_api import REGION
from tests.support.records import TestRecord, generate
from tests.support.waiting import eventually

_AT_ONCE = 2_000
_TURN_S = 0.05
_LEAVE_S = 300.0


@dataclass(frozen=True, slots=True)
class Place:
    """One end: a topic at ``host:port``, or a stream at a URL."""

    system: Literal["kafka", "kinesis"]
    address: str
    name: str
    codec: CodecName = "kpl"

    @classmethod
    def of(cls, end: End, codec: CodecName = "kpl") -> Self:
        if isinstance(end, TopicEnd):
            return cls("kafka", end.address, end.name)
        assert isinstance(end, StreamEnd)
        return cls("kinesis", end.url, end.name, codec)

    def target(self) -> Target:
        if self.system == "kafka":
            return KafkaTarget(self.address, self.name)
        return KinesisTarget(self.name, REGION, self.address, codec=self.codec)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one application is to do."""

    authority: Place
    shadow: Place
    spool: str
    acknowledged: str
    """The file of ids, a line each."""
    count: int
    keys: int
    seed: int
    size: int = 200
    per_second: int = 1_000_000


@dataclass(slots=True)
class DualApplication:
    """Not started. Leaving kills it."""

    folder: Path
    asked: Asked
    _process: "subprocess.Popen[bytes] | None" = field(default=None)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            await self.kill()
        if error is not None:
            sys.stdout.write((self.folder / "application.log").read_text()[-3_000:])

    async def start(self) -> None:
        settings = self.folder / "application.json"
        settings.write_bytes(msgspec.json.encode(self.asked))
        command = [sys.executable, "-m", __name__, str(settings)]
        self._process = await asyncio.to_thread(self._started, command)

    async def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        await asyncio.to_thread(self._process.wait)

    async def ended(self) -> int:
        """Its exit code."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, _LEAVE_S)

    @property
    def acknowledged(self) -> list[int]:
        """The ids of the records that it knows to be written, in any order."""
        path = Path(self.asked.acknowledged)
        return list(map(int, path.read_text().split())) if path.exists() else []

    async def until_acknowledged(self, count: int, timeout_s: float = 120) -> None:
        await eventually(lambda: len(self.acknowledged) >= count, f"{count} acknowledged", timeout_s)

    def _started(self, command: list[str]) -> "subprocess.Popen[bytes]":
        with (self.folder / "application.log").open("ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=_environment())


def _environment() -> Mapping[str, str]:
    return {**os.environ, "AWS_MAX_ATTEMPTS": "1"}


async def _run(asked: Asked) -> None:
    settings = DualWriteSettings(
        "application",
        asked.authority.target(),
        asked.shadow.target(),
        Path(asked.spool),
        close_s=_LEAVE_S,
        settle_s=1.0,
    )
    done = set(map(int, _text(asked.acknowledged).split()))
    left = [each for each in generate(asked.count, asked.keys, seed=asked.seed, size=asked.size) if each.id not in done]
    acknowledged = os.open(asked.acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    enough = asyncio.Semaphore(_AT_ONCE)

    async def send(record: TestRecord) -> None:
        try:
            await writer.send(record.key.encode(), record.value(0))
        finally:
            enough.release()
        os.write(acknowledged, b"%d\n" % record.id)

    async with DualWriter(settings) as writer, asyncio.TaskGroup() as tasks:
        turn = max(1, int(asked.per_second * _TURN_S))
        for number, record in enumerate(left):
            await enough.acquire()
            tasks.create_task(send(record))
            if number % turn == turn - 1 and asked.per_second < 1_000_000:
                await asyncio.sleep(_TURN_S)


def _text(path: str) -> str:
    return Path(path).read_text() if Path(path).exists() else ""


if __name__ == "__main__":
    asyncio.run(_run(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Asked)))
