"""Records that are written with the time of copying instead of their own."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from connectors.base import Batch, Budget, Clock, Partition, Place, Source
from connectors.wrapped import WrappedSource


class RestampedSource(WrappedSource):
    """Gives every record the time at which it is read. When it arrived at the source stays as it is."""

    def __init__(self, inner: Source, clock: Clock) -> None:
        super().__init__(inner)
        self._clock = clock

    async def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        async with aclosing(self.inner.read(partition, after, budget)) as batches:
            async for batch in batches:
                now_ms = self._clock.now_ms()
                yield replace(batch, timestamps_ms=[now_ms] * len(batch), arrivals_ms=batch.arrived_ms)
                del batch
