"""What comes in, and who reads it: all that sizes and costs depend on."""

import math
from dataclasses import dataclass, replace

KIB, MIB, GIB = 2**10, 2**20, 2**30
MONTH_HOURS = 730
"""As AWS reckons a month."""
MONTH_S = MONTH_HOURS * 3600


@dataclass(frozen=True, slots=True)
class Load:
    """Means are over days, so that a month is as many of them as it has seconds."""

    records_per_second: float
    record_bytes: float
    """Of key and value, on average."""
    peak_factor: float = 1.0
    """How many times the mean the busiest minutes have."""
    readers: int = 1
    """Applications that read all of it, and share what a shard or a broker gives; the mirror is not among them."""
    fan_out_readers: int = 0
    """Those that have a shard's throughput each for itself, where it is a stream."""
    retention_hours: float = 24.0

    @property
    def bytes_per_second(self) -> float:
        return self.records_per_second * self.record_bytes

    @property
    def peak_records(self) -> float:
        """A second, in the busiest minutes."""
        return self.records_per_second * self.peak_factor

    @property
    def peak_bytes(self) -> float:
        """A second, in the busiest minutes."""
        return self.bytes_per_second * self.peak_factor

    @property
    def records_per_month(self) -> float:
        return self.records_per_second * MONTH_S

    @property
    def gb_per_month(self) -> float:
        """What comes in; each reader takes it out once."""
        return self.bytes_per_second * MONTH_S / GIB

    @property
    def all_readers(self) -> int:
        """Where all read in the same way."""
        return self.readers + self.fan_out_readers

    def kept_gb(self, from_hour: float, to_hour: float) -> float:
        """What is older than ``from_hour`` and not older than ``to_hour``, of what is kept, at any moment."""
        hours = max(0.0, min(self.retention_hours, to_hour) - from_hour)
        return self.bytes_per_second * hours * 3600 / GIB

    def keeping(self, hours: float) -> "Load":
        """The same, where records are kept for ``hours``."""
        return replace(self, retention_hours=hours)

    def unread(self) -> "Load":
        """The same without its readers."""
        return replace(self, readers=0, fan_out_readers=0)

    def times(self, factor: float) -> "Load":
        """The same with ``factor`` times as many records."""
        return replace(self, records_per_second=self.records_per_second * factor)


@dataclass(frozen=True, slots=True)
class Aims:
    """What a person decides."""

    headroom: float = 0.3
    """The share of every limit that stays free in the busiest minutes; one of three zones may be away."""
    growth: float = 2.0
    """How many times today's load the topic's partitions are made for, since their number is frozen."""

    def needed(self, share: float) -> float:
        """How much is needed where ``share`` of one would be filled to its limit."""
        return share / (1 - self.headroom)


def whole(needed: float) -> int:
    """The next whole number, and never one more for a rounding error of a calculation."""
    return math.ceil(round(needed, 9))
