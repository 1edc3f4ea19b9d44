"""A source that is read at a rate."""

from bridge.pacing.piecewise import PiecewiseSource
from bridge.pacing.quota import Quota
from bridge.pacing.remainder import Remainder
from connectors.base import Clock, Partition, Source


class PacedSource(PiecewiseSource):
    """Hands on what ``inner`` reads as fast as ``quota`` allows, all partitions together and each in its turn.

    A batch of more than a tenth of a second is handed on in pieces, so that the rate is even.
    """

    def __init__(self, inner: Source, quota: Quota, clock: Clock) -> None:
        super().__init__(inner, clock)
        self._quota = quota

    async def _turn(self, partition: Partition, rest: Remainder) -> int:
        count, size = self._portion(rest)
        await self._quota.take(count, size)
        return count

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
