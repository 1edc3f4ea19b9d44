"""How the mirror takes records out of its source: at which pace, and what that costs beside all others' reading."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.planning import msk
from bridge.planning.backfill import Pace
from bridge.planning.kinesis import SHARD_OUT_BYTES
from bridge.planning.load import MONTH_HOURS, Load
from bridge.planning.offer import Item
from bridge.planning.prices.rates import Rates
from bridge.planning.workers import Kind
from connectors.counted import counted

JOB_SHARE = 0.8
"""Of a shard's read limit, that jobs take where ``read_share`` is left out."""


@dataclass(frozen=True, slots=True)
class OwnReading:
    """Of a source with so many shards or partitions."""

    kind: Kind
    partitions: int
    fans_out: bool = False
    """Whether it has a shard's throughput for itself, and does not poll."""
    on_demand: bool = False
    """Whether the source is a stream whose shards AWS counts."""
    read_share: float | None = None
    """None: what jobs take."""

    def pace(self) -> Pace:
        """What the source gives a copy. A topic has no limit of its own."""
        if self.kind == "kafka":
            return Pace(math.inf, "the source")
        whole = self.partitions * SHARD_OUT_BYTES
        if self.fans_out:
            return Pace(whole, f"2 MB/s of each of {counted(self.partitions, 'shard')}")
        share = JOB_SHARE if self.read_share is None else self.read_share
        return Pace(whole * share, f"{share:.0%} of the read limit of {counted(self.partitions, 'shard')}")

    def items(self, rates: Rates, load: Load) -> Iterator[Item]:
        """Polling a provisioned stream is free."""
        if self.kind == "kafka":
            crossing = 2 * load.gb_per_month * msk.CROSSING
            yield Item("network", "reading from other zones", crossing, "GB", rates.transfer.zone_gb)
        elif self.on_demand:
            streams = rates.kinesis.on_demand
            rate = streams.fan_out_gb if self.fans_out else streams.out_gb
            yield Item("traffic", "reading the source", load.gb_per_month, "GB", rate)
        elif self.fans_out:
            provisioned, hours = rates.kinesis.provisioned, self.partitions * MONTH_HOURS
            yield Item("capacity", "its consumer", hours, "consumer-shard-hours", provisioned.fan_out_shard_hour)
            yield Item("traffic", "reading the source", load.gb_per_month, "GB", provisioned.fan_out_gb)
