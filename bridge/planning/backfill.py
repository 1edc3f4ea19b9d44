"""How long it takes to copy what is there already, under the limits of both ends."""

from dataclasses import dataclass

from bridge.planning.kinesis import SHARD_IN_BYTES, SHARD_IN_RECORDS
from bridge.planning.load import Load
from bridge.planning.msk import PARTITION_IN_BYTES
from bridge.planning.wording import counted
from bridge.planning.workers import Kind


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


def writing(kind: Kind, partitions: int, load: Load, written: Load) -> Pace:
    """What the sink takes of a copy, in bytes of the source: a record of ``load`` is one of ``written`` there."""
    share = load.record_bytes / written.record_bytes
    if kind == "kafka":
        return Pace(partitions * PARTITION_IN_BYTES * share, f"what {counted(partitions, 'partition')} take")
    shards, records = counted(partitions, "shard"), partitions * SHARD_IN_RECORDS * load.record_bytes
    return min(
        Pace(partitions * SHARD_IN_BYTES * share, f"1 MB/s into each of {shards}"),
        Pace(records, f"1,000 records/s into each of {shards}"),
        key=lambda each: each.bytes_per_second,
    )


def backfill(stored_bytes: float, load: Load, *paces: Pace) -> Backfill:
    """At the slowest of ``paces``, while ``load`` goes on coming in."""
    slowest = min(paces, key=lambda each: each.bytes_per_second)
    gained = slowest.bytes_per_second - load.bytes_per_second
    hours = stored_bytes / gained / 3600 if gained > 0 else None
    return Backfill(stored_bytes, slowest, hours)
