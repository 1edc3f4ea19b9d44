"""A log in memory: a stream whose shards split, which tells when records arrived."""

from collections.abc import Mapping, Sequence
from random import Random

from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.migration.log import Log
from connectors.base import Clock, Partition, Place
from connectors.memory.faults import Faults
from connectors.memory.source import MemorySource, MemoryStream

CHUNK = 10
"""Records of a batch."""


class MemoryLog(Log):
    tells_arrivals = True

    def __init__(self, stream: MemoryStream) -> None:
        source = MemorySource(stream, Clock(), Faults(), chunk=CHUNK)
        super().__init__(source, ByteBudget(2**20), Clock(), lambda: Backoff(Random(1)))
        self._stream = stream

    @property
    def retention_ms(self) -> int | None:
        return None

    async def at_time(self, partitions: Sequence[Partition], time_ms: int) -> Mapping[str, Place]:
        records = {partition.id: self._stream.shards[partition.id].records for partition in partitions}
        before = {name: sum(each.timestamp_ms < time_ms for each in found) for name, found in records.items()}
        return {name: Place(str(count - 1) if count else None) for name, count in before.items()}
