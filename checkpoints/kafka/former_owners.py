"""Workers that are gone, and the transactions that they may have left open."""

import asyncio
import logging
from collections.abc import Collection, Iterable

from checkpoints.base import CheckpointError
from checkpoints.kafka.document import Author
from checkpoints.kafka.fence import Fence, worker_of
from checkpoints.kafka.threads import Threads

_AT_ONCE = 4

log = logging.getLogger(__name__)


class FormerOwners:
    """Ends the transactions of dead authors beside the event loop, never our own."""

    def __init__(self, fence: Fence, writer_id: str) -> None:
        self._fence = fence
        self._worker = worker_of(writer_id)
        self._threads = Threads(_AT_ONCE, "checkpoints fence")
        self._ended: set[Author] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def end(self, authors: Iterable[Author]) -> frozenset[Author]:
        """End what the dead among ``authors`` have open, and return when it is done; those whose it is done for."""
        others = {author for author in authors if worker_of(author.writer) != self._worker}
        if not others:
            return frozenset()
        dead = await self._threads.run(lambda _stop: self._fence.dead(others))
        ended = await asyncio.gather(*(self._end(author) for author in dead))
        done = frozenset(author for author, succeeded in zip(dead, ended, strict=True) if succeeded)
        self._ended |= done
        return done

    def end_later(self, authors: Collection[Author]) -> None:
        """End what the dead among ``authors`` have open, in the background, each once.

        It need not concern the slots: what is open may hold up those who read what was mirrored.
        """
        if unknown := set(authors) - self._ended:
            task = asyncio.create_task(self._end_quietly(unknown), name="end transactions of former owners")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what goes on in the background."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.close()

    async def _end(self, author: Author) -> bool:
        return await self._threads.run(lambda stop: self._fence.end(author, stop))

    async def _end_quietly(self, authors: Collection[Author]) -> None:
        try:
            await self.end(authors)
        except CheckpointError as error:
            # It helps others only, and who takes these slots next does it again.
            text = str(error)
            await self._threads.run(lambda _stop: log.warning("cannot end transactions of former owners: %s", text))
