"""Several workers of one mirror: processes of one configuration, each with an HTTP port of its own."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Any, Self

import aiohttp

from tests.support.ends import End
from tests.support.mirror_process import MirrorProcess
from tests.support.waiting import DeadlineError
from tests.support.way import Way

_INTERVAL_S = 0.1
_SHARED_S = 60

SESSION = "2s"
"""How long a worker may be silent before others take its slots over."""

_FINISHED = "finished"


def slow_commits(interval: str) -> dict[str, Any]:
    """Keys of a worker's configuration with which its transactions stay open for ``interval``, 5 s at the most."""
    return {"sink": {"kafka": {"commit_interval": interval}}}


class Crew:
    """Workers that share a mirror's partitions, with everything by default, unless ``more`` says other.

    Entering starts none; leaving kills whatever is left of them.
    """

    def __init__(self, path: Way[End, End], session: str = SESSION, more: Mapping[str, Any] | None = None) -> None:
        self._path = path
        self._more: dict[str, Any] = {
            # Its checkpoints are in a cluster, beside those of other mirrors.
            "name": path.sink.name,
            "checkpoints": None,
            "workers": {"session_timeout": session},
            **(more or {}),
        }
        self._left = AsyncExitStack()
        self.workers: list[MirrorProcess] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._left.__aexit__(kind, error, trace)

    def hire(self, path: Way[End, End] | None = None, **more: Any) -> MirrorProcess:
        """One worker more, started and not waited for. ``path`` may lead through proxies; ``more`` is its alone."""
        path = path or self._path
        own = path.through(folder=self._path.folder / f"worker-{len(self.workers)}")
        worker = own.mirror({**self._more, **more})
        self._left.push_async_exit(worker)
        self.workers.append(worker)
        worker.start()
        return worker

    async def hire_many(self, count: int) -> list[MirrorProcess]:
        """So many more, ready."""
        hired = [self.hire() for _ in range(count)]
        await asyncio.gather(*(worker.ready() for worker in hired))
        return hired

    async def until_shared(
        self, partitions: Collection[str], among: Collection[MirrorProcess] | None = None
    ) -> list[set[str]]:
        """Wait until each of ``partitions`` is in the hands of one worker, and as many workers as can have some.

        Returns who has which. ``among`` are the workers that are asked, all that run unless said otherwise.
        """
        return await self._until(_is_spread, partitions, among)

    async def until_owned(self, partitions: Collection[str]) -> list[set[str]]:
        """As ``until_shared``, but some workers may have none: few partitions may share the slots of one."""
        return await self._until(_is_division, partitions, None)

    async def _until(
        self,
        is_so: Callable[[list[set[str]], Collection[str]], bool],
        partitions: Collection[str],
        among: Collection[MirrorProcess] | None,
    ) -> list[set[str]]:
        asked = [worker for worker in self.workers if worker.is_running] if among is None else among
        found: list[set[str]] = []
        try:
            async with asyncio.timeout(_SHARED_S):
                while True:
                    found = [await _share(worker) for worker in asked]
                    if is_so(found, partitions):
                        return found
                    await asyncio.sleep(_INTERVAL_S)
        except TimeoutError:
            raise DeadlineError(f"{len(partitions)} partitions shared: not within {_SHARED_S} s, but {found}") from None

    async def stop(self) -> list[int]:
        """Drain all that run, at once; their exit codes."""
        running = [worker for worker in self.workers if worker.is_running]
        # One that has just been started knows no signals yet.
        await asyncio.gather(*(worker.ready() for worker in running))
        return await asyncio.gather(*(worker.stop() for worker in running))


async def _share(worker: MirrorProcess) -> set[str]:
    """What ``worker`` mirrors at the moment; nothing where it does not answer."""
    try:
        status = await worker.status()
    except (aiohttp.ClientError, TimeoutError):
        return set()
    return {lane["partition"] for lane in status["lanes"] if lane["state"] != _FINISHED}


def _is_division(found: list[set[str]], partitions: Collection[str]) -> bool:
    together = set().union(*found)
    return together == set(partitions) and sum(map(len, found)) == len(together)


def _is_spread(found: list[set[str]], partitions: Collection[str]) -> bool:
    return _is_division(found, partitions) and sum(map(bool, found)) >= min(len(found), len(partitions))
