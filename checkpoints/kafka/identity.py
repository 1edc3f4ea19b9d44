"""Notices that the checkpoint topic is another than the one that was opened."""

import asyncio
from collections.abc import Awaitable, Callable

from checkpoints.base import CheckpointError, StoreFormatError

_LOOK_S = 5.0
_GONE = 2
"""Looks in a row that find no topic: a broker that has just started may not know it yet."""


class TopicIdentity:
    """Looks now and then. What is stored in a topic that was made anew would not be all that is known."""

    def __init__(self, topic: str, look: Callable[[], Awaitable[str | None]]) -> None:
        """``look`` tells the topic's present identity; None where there is none."""
        self._topic = topic
        self._look = look
        self._known: str | None = None
        self._missing = 0
        self._failure: StoreFormatError | None = None
        self._watching: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Take what is there now for the one. Raises ``CheckpointError``."""
        self._known = await self._look()
        self._watching = asyncio.create_task(self._watch(), name=f"watch topic {self._topic}")

    async def close(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)

    def check(self) -> None:
        """Raises ``StoreFormatError`` where another topic was seen, or none."""
        if self._failure is not None:
            raise self._failure

    async def confirm(self) -> None:
        """What was read of the topic until now was read of the one that was opened.

        Raises ``StoreFormatError`` as ``check`` does, ``CheckpointError`` where there is no topic at the moment.
        """
        found = await self._look()
        self._judge(found)
        self.check()
        if found is None:
            raise CheckpointError(f"look up checkpoint topic {self._topic}", "it is not there at the moment")

    async def _watch(self) -> None:
        while self._failure is None:
            await asyncio.sleep(_LOOK_S)
            try:
                self._judge(await self._look())
            except CheckpointError:
                # Whoever reads or writes there is told.
                continue

    def _judge(self, found: str | None) -> None:
        self._missing = self._missing + 1 if found is None else 0
        if self._missing >= _GONE or (found is not None and found != self._known):
            self._failure = StoreFormatError(
                f"keep checkpoints in topic {self._topic}",
                "it was deleted" if found is None else f"it was recreated: its id was {self._known} and is {found}",
                "stop all workers; then say where the mirror stands (kmbridge checkpoints set --new), before it starts "
                "anew: the log holds each lane's last position",
            )
