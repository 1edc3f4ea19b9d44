"""A source whose partitions end where a range does."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from connectors.base import Batch, Budget, End, Partition, Place, Source
from connectors.wrapped import WrappedSource


class BoundedSource(WrappedSource):
    """Reads of ``source`` as far as the ends that were set.

    A read ends with a batch that ``is_last``, as soon as nothing of the range can follow; without records, if need be.
    Where the partition itself is finished before, it ends without one. Partitions without an end are read on and on.
    """

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.bounds: dict[str, End] = {}
        """By partition; looked at when a read begins."""

    def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        end = self.bounds.get(partition.id)
        if end is None:
            return self.inner.read(partition, after, budget)
        return self._until(end, partition, after, budget)

    async def _until(self, end: End, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        if self.is_met(end, after):
            # What lies behind is not looked at: nobody may take this for the tip.
            yield Batch(partition.id, after, lag_ms=1, is_last=True, reservation=await budget.reserve(0))
            return
        place = after
        async with aclosing(self.inner.read(partition, after, budget)) as batches:
            async for batch in batches:
                bounded = self._cut(batch, end, place)
                place = bounded.place
                yield bounded
                if bounded.is_last:
                    return
                del batch, bounded

    def is_met(self, end: End, place: Place) -> bool:
        """Whether nothing behind ``place`` comes before ``end``."""
        if end.time_ms is not None and place.watermark_ms is not None and place.watermark_ms > end.time_ms:
            return True
        return end.position is not None and self.rank(place.position) >= self.rank(end.position)

    def _cut(self, batch: Batch, end: End, before: Place) -> Batch:
        """``batch``, which follows ``before``, without what is behind ``end``."""
        count = self._inside(batch, end)
        if count == len(batch):
            return replace(batch, is_last=self.is_met(end, batch.place))
        place = before if not count else Place(batch.positions[count - 1], before.watermark_ms)
        if end.time_ms is not None and batch.arrived_ms[count] > end.time_ms:
            place = replace(place, watermark_ms=end.time_ms + 1)
        cut_off = len(batch) - count
        return replace(
            batch.pick(range(count)),
            place=place,
            lag_ms=max(1, batch.lag_ms + batch.arrived_ms[-1] - batch.arrived_ms[count]),
            lag_records=None if batch.lag_records is None else batch.lag_records + cut_off,
            is_last=True,
        )

    def _inside(self, batch: Batch, end: End) -> int:
        """How many of the first records of ``batch`` come before ``end``."""
        count = len(batch)
        if count and end.time_ms is not None and max(batch.arrived_ms) > end.time_ms:
            count = next(index for index, time in enumerate(batch.arrived_ms) if time > end.time_ms)
        if count and end.position is not None and self.rank(batch.positions[count - 1]) > self.rank(end.position):
            last = self.rank(end.position)
            count = next(index for index in range(count) if self.rank(batch.positions[index]) > last)
        return count
