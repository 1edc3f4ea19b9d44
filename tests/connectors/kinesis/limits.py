"""Servers that refuse entries for their rate, each counting in its own way."""

from collections.abc import Callable
from random import Random

from connectors.base import Clock
from connectors.kinesis.answers import PutEntry
from tests.connectors.kinesis.fake_writes import Harm

BYTES_PER_S = 1_048_576
RECORDS_PER_S = 1_000
_REFUSED = "ProvisionedThroughputExceededException"

Count = Callable[[PutEntry], int]


class Limit(Harm):
    """One shard's limit. ``taken`` and ``refused`` count entries, ``bytes_taken`` their data."""

    def __init__(self, clock: Clock, level: float = 1.0, latency_s: float = 0.02, *, counts_keys: bool = True) -> None:
        self._clock = clock
        self._latency_s = latency_s
        self._counts_keys = counts_keys
        self._random = Random(1)
        self.bytes_per_s = BYTES_PER_S * level
        self.records_per_s = RECORDS_PER_S * level
        self.taken = self.refused = self.bytes_taken = 0

    def latency_s(self) -> float:
        return self._random.uniform(self._latency_s * 0.7, self._latency_s * 1.5)

    def entry(self, entry: PutEntry) -> str:
        size = len(entry.data) + (len(entry.partition_key) if self._counts_keys else 0)
        if not self._has_room(size):
            self.refused += 1
            return _REFUSED
        self.taken += 1
        self.bytes_taken += size
        return ""

    def _has_room(self, size: int) -> bool:
        raise NotImplementedError


class Window(Limit):
    """Counts from the first entry on for a second, then anew: ferrokinesis."""

    def __init__(self, clock: Clock, level: float = 1.0, latency_s: float = 0.02) -> None:
        super().__init__(clock, level, latency_s, counts_keys=False)
        self._begun = -1.0
        self._bytes = self._records = 0.0

    def _has_room(self, size: int) -> bool:
        now = self._clock.monotonic()
        if now - self._begun >= 1:
            self._begun, self._bytes, self._records = now, 0, 0
        if self._bytes + size > self.bytes_per_s or self._records + 1 > self.records_per_s:
            return False
        self._bytes += size
        self._records += 1
        return True


class Bucket(Limit):
    """Fills evenly, and holds at most what flows in ``depth_s`` seconds."""

    def __init__(self, clock: Clock, level: float = 1.0, latency_s: float = 0.02, *, depth_s: float = 1.0) -> None:
        super().__init__(clock, level, latency_s)
        self._depth_s = depth_s
        self._bytes, self._records = self.bytes_per_s * depth_s, self.records_per_s * depth_s
        self._at = clock.monotonic()

    def _has_room(self, size: int) -> bool:
        now = self._clock.monotonic()
        passed, self._at = now - self._at, now
        self._bytes = min(self.bytes_per_s * self._depth_s, self._bytes + passed * self.bytes_per_s)
        self._records = min(self.records_per_s * self._depth_s, self._records + passed * self.records_per_s)
        if self._bytes < size or self._records < 1:
            return False
        self._bytes -= size
        self._records -= 1
        return True
