"""Reading a lease table, without a trace and without taking what its application needs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bridge.migration.leases.lease import Lease
from bridge.migration.leases.rows import OtherRow, parsed
from checkpoints.base import CheckpointError, StoreUnreachableError
from checkpoints.dynamodb.client import Caller, Connect, connect
from checkpoints.dynamodb.clock import Clock
from checkpoints.dynamodb.table import Table

_PAGE = 100
"""Rows a call: some 100 KB, so that no call takes more than 25 read units of a table that may have few."""
_PAUSE_S = 1.0
_PAUSES = 10


@dataclass(frozen=True, slots=True)
class Scan:
    """What was in the table, each row whole, both by key. Rows that changed meanwhile are of different moments."""

    leases: Mapping[str, Lease]
    others: Mapping[str, OtherRow]


async def read(table: Table, *, clock: Clock, connect: Connect = connect) -> Scan:
    """All rows, strongly consistent. Needs ``dynamodb:Scan`` and nothing else.

    Raises ``MalformedLeaseError`` for a row that cannot be understood, ``MissingTableError``, and what ``Caller``
    raises; throttling only after ten seconds without progress.
    """
    async with connect(table) as caller:
        return await scan(caller, table, clock)


async def scan(caller: Caller, table: Table, clock: Clock) -> Scan:
    """As ``read``, over a connection that is there."""
    leases: dict[str, Lease] = {}
    others: dict[str, OtherRow] = {}
    request: dict[str, object] = {"TableName": table.name, "ConsistentRead": True, "Limit": _PAGE}
    while True:
        page = await _patiently(caller, request, clock)
        for item in page["Items"]:
            match parsed(item, table):
                case Lease() as lease:
                    leases[lease.key] = lease
                case other:
                    others[other.key] = other
        if not page.get("LastEvaluatedKey"):
            return Scan(leases, others)
        request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


async def _patiently(caller: Caller, request: Mapping[str, object], clock: Clock) -> Mapping[str, Any]:
    for _ in range(_PAUSES):
        try:
            return await caller.call("Scan", request)
        except StoreUnreachableError:
            raise
        except CheckpointError as error:
            if not error.retriable:
                raise
        await clock.sleep(_PAUSE_S)
    return await caller.call("Scan", request)
