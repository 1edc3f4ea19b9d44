"""A process as a container engine runs it: number 1 of its process name space, and in an image on what it may write.

The network is this machine's, so that servers and ports are where the tests look for them.
"""

import asyncio
import os
import shlex
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.image import Image
from tests.support.missing import give_up
from tests.support.provision import MissingServerError
from tests.support.records import TestRecord
from tests.support.route import Route
from tests.support.waiting import DeadlineError, eventually, until

GRACE_S = 30
"""How long Kubernetes and ECS wait after SIGTERM before they kill."""

_OWN_NUMBERS = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


def needs_name_spaces() -> None:
    """Give the calling test up where this user or system cannot make them."""
    try:
        allowed = subprocess.run([*_OWN_NUMBERS, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        give_up(MissingServerError("no name spaces of processes: run the tests as root on Linux, with util-linux"))


def alone(command: Sequence[str]) -> list[str]:
    """``command``, on this machine's files, as number 1 of a process name space."""
    return [*_OWN_NUMBERS, "--mount-proc", *command]


def contained(
    image: Image, volume: Path, command: Sequence[str], environment: Mapping[str, str] | None = None
) -> list[str]:
    """``command`` in ``image`` as its user, its root read-only, ``volume`` in place of the image's own volume.

    It has ``environment`` and the image's, and nothing of ours.
    """
    (place,) = image.volumes
    root, variables = shlex.quote(str(image.root)), {**image.environment, **(environment or {})}
    steps = [
        f"mount --bind {root} {root}",
        f"mount -o remount,bind,ro {root}",
        f"mount -t proc proc {root}/proc",
        f"mount --bind /dev {root}/dev",
        f"mount --bind {shlex.quote(str(volume))} {root}{place}",
    ]
    into = f'cd {image.folder} && exec "$@"'
    chroot = shlex.join(["chroot", f"--userspec={image.user}", "--groups=", str(image.root)])
    enter = shlex.join(
        ["env", "-i", *(f"{name}={value}" for name, value in variables.items()), "/bin/sh", "-c", into, "sh"]
    )
    return [*_OWN_NUMBERS, "sh", "-c", " && ".join([*steps, f'exec {chroot} {enter} "$@"']), "sh", *command]


class Container:
    """Runs what ``alone`` or ``contained`` made of a command while it is entered; leaving kills what is left of it."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command = list(command)
        self._log = log
        self._engine: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        with self._log.open("ab") as log:
            self._engine = await asyncio.create_subprocess_exec(
                *self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running.returncode is None:
            self._running.kill()
        await self._running.wait()
        if error is not None:
            error.add_note(f"the container printed: {self.printed()[-3_000:]}")

    async def signal(self, number: signal.Signals) -> None:
        """Send it to number 1, as the engine does."""
        await eventually(lambda: self._first is not None, "the first process")
        os.kill(self._first or 0, number)

    async def ended(self, timeout_s: float = GRACE_S) -> int:
        """Its exit code, once it ends."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._running.wait()
        except TimeoutError:
            raise DeadlineError(f"end of the container: not within {timeout_s:g} s") from None

    def printed(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def _running(self) -> asyncio.subprocess.Process:
        if self._engine is None:
            raise RuntimeError("the container was never started")
        return self._engine

    @property
    def _first(self) -> int | None:
        """The number outside of the process that is number 1 inside."""
        pid = self._running.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0]) if children else None


@dataclass(frozen=True, slots=True)
class Stops:
    """What came of a container that was stopped under load, and of the next one."""

    codes: list[int]
    """With which each ended."""
    in_time: int
    """Records in the topic when the first had ended: had all been there, there was no load any more."""


async def stopped_under_load(
    path: Route,
    command: Sequence[str],
    sent: Sequence[TestRecord],
    folder: Path,
    is_up: Callable[[], Awaitable[bool]] | None = None,
) -> Stops:
    """Write ``sent``, signal the container while records come in, and let another mirror the rest, up to the last one.

    Nothing is written before ``is_up``.
    """
    async with Container(command, folder / "first.log") as first:
        if is_up is not None:
            await until(is_up, "the health of the container")
        writing = asyncio.create_task(path.write(sent))
        await path.until_committed(len(sent) // 10)
        await first.signal(signal.SIGTERM)
        codes = [await first.ended()]
    in_time = sum(map(len, (await path.ids_by_key()).values()))
    await writing
    async with Container(command, folder / "second.log") as second:
        await path.until_committed(len(sent))
        await second.signal(signal.SIGTERM)
        codes.append(await second.ended())
    await path.until_settled()
    return Stops(codes, in_time)
