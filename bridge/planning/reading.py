"""How the mirror takes records out of its source: at which pace, and what that costs beside all others' reading."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from bridge.jobs.starting import SHARE
from bridge.planning import msk
from bridge.planning.backfill import Pace
from bridge.planning.kinesis import CALL_RECORDS, SHARD_OUT_BYTES, SHARD_OUT_CALLS
from bridge.planning.load import MONTH_HOURS, Load
from bridge.planning.offer import Item
from bridge.planning.prices.rates import Rates
from bridge.planning.wording import counted
from bridge.planning.workers import Kind


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
    serverless: bool = False
    """Whether the source is a topic of MSK Serverless."""

    def pace(self, load: Load) -> Pace:
        """What the source gives a copy, while ``load`` goes on. A topic has no limit of its own."""
        if self.kind == "kafka":
            return Pace(math.inf, "the source")
        shards = counted(self.partitions, "shard")
        whole = self.partitions * SHARD_OUT_BYTES
        if self.fans_out:
            return Pace(whole, f"2 MB/s of each of {shards}")
        share = SHARE if self.read_share is None else self.read_share
        calls = self.partitions * SHARD_OUT_CALLS * share * CALL_RECORDS * load.record_bytes
        left = whole - load.readers * load.bytes_per_second
        return min(
            Pace(whole * share, f"{share:.0%} of the read limit of {shards}"),
            Pace(calls, f"{share:.0%} of five reads a second of {shards}, each of {CALL_RECORDS:,} records"),
            Pace(max(0.0, left), f"what {counted(load.readers, 'reader')} beside it leave of {shards}"),
            key=lambda each: each.bytes_per_second,
        )

    def items(self, rates: Rates, load: Load) -> Iterator[Item]:
        """Polling a provisioned stream is free."""
        if self.serverless:
            yield Item("traffic", "reading the source", load.gb_per_month, "GB", rates.msk.serverless.out_gb)
        elif self.kind == "kafka":
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
