"""A source that is read at a rate."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from bridge.pacing.quota import Quota
from bridge.pacing.remainder import Remainder
from connectors.base import Batch, Budget, Clock, Partition, Place, Source
from connectors.wrapped import WrappedSource


class PacedSource(WrappedSource):
    """Hands on what ``inner`` reads as fast as ``quota`` allows, all partitions together and each in its turn.

    A batch of more than a tenth of a second is handed on in pieces, so that the rate is even. A partition that waits
    holds one batch, within the budget, and reads no further.
    """

    def __init__(self, inner: Source, quota: Quota, clock: Clock) -> None:
        super().__init__(inner)
        self._quota = quota
        self._clock = clock

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
                        count, size = self._portion(rest)
                        await self._quota.take(count, size)
                        yield rest.take(count, self._clock.now_ms() - read_ms)
                finally:
                    rest.release()
                    del rest

    def _portion(self, rest: Remainder) -> tuple[int, int]:
        """How many of the next records pass together, at least one, and their bytes."""
        records, size = self._quota.portion
        batch, first = rest.batch, rest.at
        if len(rest) == len(batch) <= records and batch.size <= size:
            return len(batch), batch.size
        end = first + int(min(len(rest), max(1, records)))
        count = total = 0
        for key, value in zip(batch.keys[first:end], batch.values[first:end], strict=True):
            record_size = len(key or b"") + len(value or b"")
            if count and total + record_size > size:
                break
            count += 1
            total += record_size
        return count, total
