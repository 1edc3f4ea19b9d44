"""Some of the latest records of an end, read gently: enough to tell shares and sizes, never all that there is."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

from bridge.engine.bounded import BoundedSource
from bridge.engine.budget import ByteBudget
from bridge.migration.log import OLDEST_MS, Log, side_by_side
from connectors.base import Batch, ConnectorError, Partition, Place, Source, TransientError
from connectors.counted import counted

WINDOW_MS = 300_000
"""So much of the latest past is looked at."""
_MOST_RECORDS = 20_000
_MOST_BYTES = 32 * 2**20
_MOST_PARTITIONS = 64
_LOOK_S, _ALL_S = 3.0, 5.0
"""For reading as much as there is, and for all, with what is asked before."""


class UnreadableError(ConnectorError):
    """An end's records cannot be read. Who needs them has nothing to look at; one check tells why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Records of the last minutes; of a topic their own times count."""

    batches: Sequence[Batch] = ()
    """Those that have records, each of one partition."""
    partitions: int = 1
    """How many were looked at."""
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
        return f"{counted(self.records, 'record')} of the last {WINDOW_MS // 60_000} minutes"


@contextmanager
def unreadable() -> Iterator[None]:
    """Around the taking of a sample. Whatever fails inside is an ``UnreadableError``, with its cause and its hint."""
    try:
        yield
    except ConnectorError as error:
        raise UnreadableError(error.operation, error.cause, error.hint) from error


async def taken(log: Log, now_ms: int) -> Sample:
    """A sample of ``log``, within some seconds. Raises what reading raises, ``TransientError`` without an answer."""
    try:
        async with asyncio.timeout(_ALL_S):
            return await _taken(log, now_ms)
    except TimeoutError:
        hint = "look at the network, and at how busy the end is"
        raise TransientError(f"read {log.address}", f"no answer within {_ALL_S:g} s", hint) from None


async def _taken(log: Log, now_ms: int) -> Sample:
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
        is_whole and len(chosen) == len(taking),
        sum(map(reading.rate, chosen)) * share,
        oldest,
    )


class _Reading:
    """Of some partitions side by side, each as far as its share."""

    def __init__(self, log: Log, now_ms: int, partitions: int) -> None:
        self.batches: list[Batch] = []
        self._log = log
        self._budget = ByteBudget(_MOST_BYTES)
        self._since_ms = max(1, now_ms - WINDOW_MS)
        self._records = max(1, _MOST_RECORDS // partitions)
        self._bytes = _MOST_BYTES // partitions
        self._whole: set[str] = set()

    async def read(self, partitions: Sequence[Partition]) -> bool:
        """Whether nothing was left out of ``partitions``."""
        places = await self._log.at_time(partitions, self._since_ms)
        bounded = BoundedSource(self._log.source)
        bounded.bounds.update(await self._log.ends(partitions))
        try:
            async with asyncio.timeout(_LOOK_S):
                await side_by_side(lambda each: self._one(bounded, each, places[each.id]), partitions)
        except TimeoutError:
            return False
        return len(self._whole) == len(partitions)

    async def _one(self, source: Source, partition: Partition, place: Place) -> None:
        """The tip ends it too: until the time has come at which a stream ends, nothing but waiting is left."""
        records = size = 0
        async with aclosing(source.read(partition, place, self._budget)) as batches:
            async for batch in batches:
                batch.release()
                part = batch.pick(range(min(len(batch), self._records - records)))
                if len(part):
                    self.batches.append(part)
                records, size = records + len(part), size + part.size
                if batch.is_last or batch.lag_ms == 0:
                    break
                if records >= self._records or size >= self._bytes:
                    return
        self._whole.add(partition.id)

    def rate(self, partition: Partition) -> float:
        """Records a second; of a partition that was not read to its end, while what was read came in."""
        mine = [batch for batch in self.batches if batch.partition == partition.id]
        records = sum(map(len, mine))
        span_ms = WINDOW_MS
        if partition.id not in self._whole and mine:
            times = [time for batch in mine for time in batch.arrived_ms]
            span_ms = max(1_000, min(span_ms, max(times) - min(times)))
        return records * 1000 / span_ms
