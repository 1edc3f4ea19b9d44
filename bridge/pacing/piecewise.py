"""A source whose batches are handed on piece by piece, each in its turn."""

from abc import abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing

from bridge.pacing.remainder import Remainder
from connectors.base import Batch, Budget, Clock, Partition, Place, Source
from connectors.wrapped import WrappedSource


class PiecewiseSource(WrappedSource):
    """Cuts what ``inner`` reads. A partition that waits holds one batch, within the budget, and reads no further."""

    def __init__(self, inner: Source, clock: Clock) -> None:
        super().__init__(inner)
        self._clock = clock

    @abstractmethod
    async def _turn(self, partition: Partition, rest: Remainder) -> int:
        """Wait until the next records of ``rest``, which has some, may pass; how many of them, at least one."""

    async def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        place = after
        async with aclosing(self.inner.read(partition, after, budget)) as batches:
            async for batch in batches:
                rest = Remainder(batch, place)
                place = batch.place
                # While the next one is awaited, nothing here may keep the memory of one that is settled.
                del batch
                try:
                    if not len(rest):
                        yield rest.take(0, 0)
                    read_ms = self._clock.now_ms()
                    while len(rest):
                        count = await self._turn(partition, rest)
                        yield rest.take(count, self._clock.now_ms() - read_ms)
                finally:
                    rest.release()
                    del rest
