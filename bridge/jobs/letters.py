"""Dead letters as the records that they were: what a redrive reads."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from bridge.engine.dead_letter import DETAIL_HEADER, REASON_HEADER
from connectors.base import REPLAY_HEADER, Batch, Budget, Clock, Header, Partition, Place, Source
from connectors.wrapped import WrappedSource

MARK = "redrive-"
"""The id of a redrive, with which it marks what it sends as sent again on purpose, begins so."""

_ADDED = {REASON_HEADER, DETAIL_HEADER}


class Letters(WrappedSource):
    """Hands out the letters of ``source``, each without what was added when it was buried, or redriven and buried
    again: with the origin that the mirror would have sent it with.
    """

    def __init__(self, source: Source, clock: Clock, rest_s: float) -> None:
        """Reading begins ``rest_s`` late, so that what is buried again meanwhile comes behind an end that is a time."""
        super().__init__(source)
        self._clock = clock
        self._rest_s = rest_s

    @property
    def repeats(self) -> bool:
        """A letter is told from another by its own place alone."""
        return False

    async def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        await self._clock.sleep(self._rest_s)
        async with aclosing(self.inner.read(partition, after, budget)) as batches:
            async for batch in batches:
                headers = None if batch.headers is None else [_own(each) for each in batch.headers]
                yield replace(batch, headers=headers)
                # While the next one is awaited, nothing here may keep the memory of one that is settled.
                del batch, headers


def _own(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    return tuple(header for header in headers if header[0] not in _ADDED and not _is_mark(header))


def _is_mark(header: Header) -> bool:
    name, value = header
    return name == REPLAY_HEADER and value is not None and value.startswith(MARK.encode())
