"""Some of the latest records of an end, read gently: enough to tell shares and sizes, never all that there is."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.migration.log import OLDEST_MS, Log, side_by_side
from connectors.base import Batch, Partition, Place

WINDOW_MS = 300_000
"""So much of the latest past is looked at."""
_MOST_RECORDS = 20_000
_MOST_BYTES = 32 * 2**20
_MOST_PARTITIONS = 64
_LOOK_S = 4.0


@dataclass(frozen=True, slots=True)
class Sample:
    """Records of the last minutes; of a topic their own times count."""

    batches: Sequence[Batch] = ()
    """Those that have records, each of one partition."""
    partitions: int = 1
    """How many were looked at."""
    there_are: int = 1
    """How many take records."""
    is_whole: bool = True
    """Whether all records of these minutes are among them."""
    records_per_second: float = 0.0
    """Of the whole end, about."""
    oldest: Mapping[str, Place] | None = None
    """Where each partition begins now; None of a stream, which does not tell."""

    @property
    def records(self) -> int:
        return sum(map(len, self.batches))

    @property
    def bytes(self) -> int:
        """Of keys and values."""
        return sum(batch.size for batch in self.batches)

    @property
    def bytes_per_second(self) -> float:
        return self.records_per_second * self.bytes / self.records if self.records else 0.0

    def __str__(self) -> str:
        return f"{self.records} records of the last {WINDOW_MS // 60_000} minutes"


async def taken(log: Log, now_ms: int) -> Sample:
    """A sample of ``log``, within some seconds. Raises what reading raises."""
    listed = await log.listed()
    parents = {parent for each in listed for parent in each.parents}
    taking = [each for each in listed if each.id not in parents]
    chosen = taking[:: -(-len(taking) // _MOST_PARTITIONS) or 1]
    oldest = None if log.tells_arrivals else await log.at_time(listed, OLDEST_MS)
    reading = _Reading(log, now_ms, max(1, len(chosen)))
    is_whole = await reading.read(chosen)
    share = len(taking) / max(1, len(chosen))
    return Sample(
        reading.batches,
        len(chosen),
        len(taking),
        is_whole and len(chosen) == len(taking),
        sum(map(reading.rate, chosen)) * share,
        oldest,
    )


class _Reading:
    """Of some partitions side by side, each as far as its share."""

    def __init__(self, log: Log, now_ms: int, partitions: int) -> None:
        self.batches: list[Batch] = []
        self._log = log
        self._since_ms = max(1, now_ms - WINDOW_MS)
        self._records = max(1, _MOST_RECORDS // partitions)
        self._bytes = _MOST_BYTES // partitions
        self._whole: set[str] = set()

    async def read(self, partitions: Sequence[Partition]) -> bool:
        """Whether nothing was left out of ``partitions``."""
        places = await self._log.at_time(partitions, self._since_ms)
        ends = await self._log.ends(partitions)

        async def one(partition: Partition) -> None:
            records = size = 0
            async with self._log.reading(partition.id, places[partition.id], ends[partition.id]) as batches:
                async for batch in batches:
                    part = batch.pick(range(min(len(batch), self._records - records)))
                    self.batches.append(part)
                    records, size = records + len(part), size + part.size
                    if records >= self._records or size >= self._bytes:
                        return
            self._whole.add(partition.id)

        try:
            async with asyncio.timeout(_LOOK_S):
                await side_by_side(one, partitions)
        except TimeoutError:
            return False
        return len(self._whole) == len(partitions)

    def rate(self, partition: Partition) -> float:
        """Records a second; of a partition that was not read to its end, while what was read came in."""
        mine = [batch for batch in self.batches if batch.partition == partition.id]
        records = sum(map(len, mine))
        span_ms = WINDOW_MS
        if partition.id not in self._whole and mine:
            times = [time for batch in mine for time in batch.arrived_ms]
            span_ms = max(1_000, min(span_ms, max(times) - min(times)))
        return records * 1000 / span_ms
