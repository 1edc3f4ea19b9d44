"""How long it takes to copy what is there already, under the limits of both ends."""

from dataclasses import dataclass

from bridge.planning.kinesis import SHARD_IN_BYTES, SHARD_IN_RECORDS
from bridge.planning.load import Load
from bridge.planning.msk import PARTITION_IN_BYTES
from bridge.planning.workers import Kind
from connectors.counted import counted


@dataclass(frozen=True, slots=True)
class Pace:
    """What bounds a copy, in bytes a second, and by what."""

    bytes_per_second: float
    by: str


@dataclass(frozen=True, slots=True)
class Backfill:
    stored_bytes: float
    pace: Pace
    hours: float | None
    """Until the copy has caught up with what goes on coming in; None where it never does."""

    def to_json(self) -> dict[str, object]:
        return {
            "stored_gb": round(self.stored_bytes / 2**30, 2),
            "bytes_per_second": round(self.pace.bytes_per_second),
            "bound_by": self.pace.by,
            "hours": None if self.hours is None else round(self.hours, 2),
        }


def writing(kind: Kind, partitions: int, load: Load) -> Pace:
    """What the sink takes of a copy."""
    if kind == "kafka":
        return Pace(partitions * PARTITION_IN_BYTES, f"the write limit of {counted(partitions, 'partition')}")
    records = partitions * SHARD_IN_RECORDS * load.record_bytes
    return Pace(min(partitions * SHARD_IN_BYTES, records), f"the write limit of {counted(partitions, 'shard')}")


def backfill(stored_bytes: float, load: Load, *paces: Pace) -> Backfill:
    """At the slowest of ``paces``, while ``load`` goes on coming in."""
    slowest = min(paces, key=lambda each: each.bytes_per_second)
    gained = slowest.bytes_per_second - load.bytes_per_second
    hours = stored_bytes / gained / 3600 if gained > 0 else None
    return Backfill(stored_bytes, slowest, hours)
