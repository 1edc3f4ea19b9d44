"""The leases of an application: which of them count, and the ones that a new application begins with."""

from collections.abc import Iterable, Mapping
from typing import Literal

from bridge.migration.leases.lease import (
    HashRange,
    Lease,
    LeaseCheckpoint,
    NewLease,
    Processed,
    Sentinel,
)
from bridge.migration.log import StreamLog
from bridge.migration.translation.cut import Cut
from bridge.migration.translation.errors import UnknownPlaceError
from connectors.base import Position
from connectors.kinesis.shards import Shard


def leases_of(leases: Iterable[Lease], stream: str, created_s: int, application: str) -> dict[str, Lease]:
    """Those of ``stream``, by shard; of an application of several streams the others are left out.

    Raises ``UnknownPlaceError`` where there are none.
    """
    found = {
        lease.shard: lease
        for lease in leases
        if lease.stream is None or (lease.stream.name == stream and lease.stream.created_s == created_s)
    }
    if not found:
        raise UnknownPlaceError(
            f"read the leases of {application}",
            f"it has none of stream {stream} as it is now",
            "check the application's name; a stream that was made anew has no leases in old tables",
        )
    return found


def leases_in(stream: StreamLog, leases: Iterable[Lease], application: str) -> dict[str, Lease]:
    """Those of ``stream`` as it is now, likewise."""
    return leases_of(leases, stream.name, stream.created_s, application)


def unresolved(leases: Mapping[str, Lease]) -> list[str]:
    """The shards of leases that tell no place: somebody has to say what the application is configured with."""
    unknown = {Sentinel.LATEST, Sentinel.AT_TIMESTAMP}
    return sorted(shard for shard, lease in leases.items() if lease.checkpoint in unknown)


def new_leases(cuts: Mapping[str, Cut], shards: Mapping[str, Shard]) -> list[NewLease]:
    """One for each shard that was read, as far as it goes. ``shards`` may tell of some that came meanwhile."""
    leases = []
    for name, found in sorted(cuts.items()):
        shard = shards[name]
        children = tuple(sorted(each.id for each in shards.values() if name in each.parents and each.id in cuts))
        parents = tuple(parent for parent in shard.parents if parent in cuts)
        checkpoint = checkpoint_of(found, is_ended=shard.closed and bool(children))
        leases.append(NewLease(name, checkpoint, HashRange(shard.first_hash, shard.last_hash), parents, children))
    return leases


def checkpoint_of(found: Cut, *, is_ended: bool) -> Processed | Literal[Sentinel.TRIM_HORIZON, Sentinel.SHARD_END]:
    """The checkpoint of a lease whose shard is read to its end, or not."""
    if found.first is None and is_ended:
        return Sentinel.SHARD_END
    return Sentinel.TRIM_HORIZON if found.before is None else processed(found.before.position)


def processed(position: Position) -> Processed:
    """As KCL names the record at ``position``."""
    sequence, _, sub = position.partition("#")
    return Processed(sequence, int(sub or 0))


def place(checkpoint: LeaseCheckpoint) -> str:
    """For a report."""
    return checkpoint.value if isinstance(checkpoint, Sentinel) else str(checkpoint)
