"""A member of a group in a process of its own, to be frozen. It does what it is told line by line, and says so.

``python -m tests.support.member_process ADDRESS TOPIC WORKER SESSION_S``
"""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Collection
from types import TracebackType
from typing import Self

import structlog

from bridge.coordination.kafka_group import KafkaGroup
from checkpoints.base import CheckpointError
from checkpoints.kafka.group.committer import CommittedOffset
from tests.support.group_member import Idle, group_settings

_READY_S = 30


class MemberProcess:
    """Leaving kills it."""

    def __init__(self, address: str, topic: str, worker: str, session_s: float) -> None:
        self._command = (sys.executable, "-m", __name__, address, topic, worker, str(session_s))
        self._process: asyncio.subprocess.Process | None = None
        self.said: list[str] = []
        """Line by line."""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._started.kill()
        await self._started.communicate()

    def tell(self, line: str) -> None:
        """``commit SLOT OFFSET``, or ``confirm``. A frozen one does it when it is thawed."""
        assert self._started.stdin is not None
        self._started.stdin.write(f"{line}\n".encode())

    async def until_said(self, beginning: str) -> None:
        """Read on until it has said a line that begins so."""
        assert self._started.stdout is not None
        async with asyncio.timeout(_READY_S):
            while not any(line.startswith(beginning) for line in self.said):
                line = await self._started.stdout.readline()
                assert line, self.said
                self.said.append(line.decode().strip())

    def freeze(self) -> None:
        self._started.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._started.send_signal(signal.SIGCONT)

    @property
    def _started(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process


class _Talkative(Idle):
    async def take(self, slots: Collection[int]) -> None:
        await super().take(slots)
        _say("taken", *sorted(slots))

    async def lose(self, slots: Collection[int]) -> None:
        await super().lose(slots)
        _say("lost", *sorted(slots))


def _say(*words: object) -> None:
    sys.stdout.write(f"{' '.join(map(str, words))}\n")
    sys.stdout.flush()


async def _obey(group: KafkaGroup, line: str) -> None:
    match line.split():
        case ["commit", slot, offset]:
            try:
                await group.commit({int(slot): CommittedOffset(int(offset), "{}")})
            except CheckpointError as error:
                _say("refused", slot, offset, type(error).__name__)
            else:
                _say("committed", slot, offset)
        case ["confirm"]:
            await group.confirm()
            _say("confirmed")
        case words:
            raise ValueError(words)


async def _main(address: str, topic: str, worker: str, session_s: str) -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with (
        KafkaGroup(group_settings(address, topic, worker, float(session_s))) as group,
        asyncio.TaskGroup() as tasks,
    ):
        tasks.create_task(group.run(_Talkative()))
        async for line in reader:
            tasks.create_task(_obey(group, line.decode()))


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
