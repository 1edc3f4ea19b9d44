"""Whether an application is at rest: only then its checkpoints are where it will go on.

A worker renews each lease that it holds several times in the failover time. So where no row is another after more than
that time, nobody processes records. A worker that holds no lease, as each does for some seconds when it starts, is seen
by chance at most: from KCL 3.5 on by its metrics, which it writes every half a minute, before that not at all.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from bridge.migration.leases.lease import Lease
from bridge.migration.leases.rows import OtherRow
from bridge.migration.leases.scan import Scan, scan
from checkpoints.dynamodb.client import Connect, connect
from checkpoints.dynamodb.clock import Clock
from checkpoints.dynamodb.table import Table

FAILOVER_S = 10.0
"""KCL's own default, ``failoverTimeMillis``."""
_MARGIN_S = 1.0
"""A renewal that is due at the end of the failover time still has to reach the table."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One row that is not at rest: ``what`` says why, ``workers`` who is behind it as far as the row tells."""

    key: str
    what: str
    workers: tuple[str, ...]

    def __str__(self) -> str:
        by = f" (by {', '.join(self.workers)})" if self.workers else ""
        return f"{self.key}: {self.what}{by}"


@dataclass(frozen=True, slots=True)
class AtRest:
    """Nothing moved: ``scan`` is where the application stands until somebody starts it."""

    scan: Scan


@dataclass(frozen=True, slots=True)
class Moving:
    """Some of it moved, or is being handed over: any place read from ``scan`` is approximate."""

    scan: Scan
    movements: tuple[Movement, ...]


async def watch(
    table: Table, *, clock: Clock, failover_s: float = FAILOVER_S, connect: Connect = connect
) -> AtRest | Moving:
    """Compare two scans that are further apart than ``failover_s``, the longest that any worker is configured with.

    Takes a second longer than that. Raises as ``scan.read``.
    """
    async with connect(table) as caller:
        before = await scan(caller, table, clock)
        await clock.sleep(failover_s + _MARGIN_S)
        after = await scan(caller, table, clock)
    movements = tuple(_movements(before, after))
    return Moving(after, movements) if movements else AtRest(after)


def _movements(before: Scan, after: Scan) -> Iterator[Movement]:
    for key in sorted(before.leases.keys() | after.leases.keys()):
        yield from _of_lease(key, before.leases.get(key), after.leases.get(key))
    for key in sorted(before.others.keys() | after.others.keys()):
        yield from _of_other(before.others.get(key), after.others.get(key))


def _of_lease(key: str, before: Lease | None, after: Lease | None) -> Iterator[Movement]:
    match before, after:
        case Lease(), Lease():
            what = [*_differences(before, after), *_hand_over(after)]
        case None, Lease():
            what = ["the lease appeared"]
        case _:
            what = ["the lease went away"]
    if what:
        seen = (lease.workers for lease in (before, after) if lease is not None)
        workers = tuple(dict.fromkeys(worker for each in seen for worker in each))
        yield Movement(key, ", ".join(what), workers)


def _differences(before: Lease, after: Lease) -> Iterator[str]:
    pairs = (
        ("lease counter", before.counter, after.counter),
        ("checkpoint", before.checkpoint, after.checkpoint),
        ("pending checkpoint", before.pending, after.pending),
        ("owner", before.owner, after.owner),
        ("owner switches", before.owner_switches, after.owner_switches),
        ("children", before.children, after.children),
    )
    return (f"{name} {old} -> {new}" for name, old, new in pairs if old != new)


def _hand_over(lease: Lease) -> Iterator[str]:
    if lease.checkpoint_owner is not None:
        yield f"a hand-over from {lease.checkpoint_owner} to {lease.owner} has not ended: let the application end it"


def _of_other(before: OtherRow | None, after: OtherRow | None) -> Iterator[Movement]:
    known = after or before
    if known is not None and before != after:
        yield Movement(known.key, f"the application's {known.kind} row changed", ())
