"""The table of a new application, made whole before a consumer starts from it.

A tag comes with the table and goes when its last row is written. So what was cut short is known and can be taken back,
and nothing else ever is.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from bridge.errors import BridgeError
from bridge.migration.leases.lease import NewLease
from bridge.migration.leases.rows import item
from bridge.migration.leases.scan import scan
from checkpoints.base import CheckpointError
from checkpoints.dynamodb.client import Caller, Connect, connect
from checkpoints.dynamodb.clock import Clock
from checkpoints.dynamodb.creation import active, gone
from checkpoints.dynamodb.faults import BeingMadeError
from checkpoints.dynamodb.table import Table

UNFINISHED_TAG = "kmbridge-unfinished-leases"
_TRANSACTION = 100
"""The most writes that DynamoDB makes all or none."""


class TableExistsError(BridgeError):
    """There is a table of that name. It is left as it is, also where it is empty."""


class UnfinishedTableError(BridgeError):
    """The table was made and not all of its rows were written: no consumer may start from it. ``discard`` it."""


class TableInUseError(BridgeError):
    """The table is not one that ``create`` left unfinished, or a consumer has been at it. It is left as it is."""


async def create(table: Table, leases: Sequence[NewLease], *, clock: Clock, connect: Connect = connect) -> None:
    """Make the table with these rows, one a shard. A consumer may start as soon as this returns, and no sooner.

    Up to 100 rows are written all or none, more in several transactions. A table that this left unfinished, for an
    error, a cancellation or a kill, says so when it is made again, and ``discard`` removes it.

    Needs ``dynamodb:CreateTable``, ``DescribeTable``, ``PutItem``, ``TagResource``, ``UntagResource`` and
    ``ListTagsOfResource``. Raises ``TableExistsError`` and ``UnfinishedTableError``, ``ValueError`` for no leases or
    two of one shard, and what ``Caller`` raises where making the table fails; it may be there then, unfinished.
    """
    if not leases or len({lease.shard for lease in leases}) < len(leases):
        raise ValueError("a new application has one lease for each shard, and at least one")
    async with connect(table) as caller:
        await _make(caller, table)
        try:
            await active(caller, table, clock)
            for writes in _transactions(table, leases):
                await caller.call("TransactWriteItems", {"TransactItems": writes})
            ours = {"ResourceArn": await _arn(caller, table), "TagKeys": [UNFINISHED_TAG]}
            await caller.call("UntagResource", ours)
        except CheckpointError as error:
            raise UnfinishedTableError(
                f"write the leases of {table}",
                str(error),
                "start no consumer from it; discard it, then write it again",
            ) from error


async def discard(table: Table, *, clock: Clock, connect: Connect = connect) -> None:
    """Delete a table that ``create`` left unfinished, and return when it is gone.

    Needs ``dynamodb:DeleteTable``, ``DescribeTable``, ``ListTagsOfResource`` and ``Scan``. Raises ``TableInUseError``
    for any other table, and for one that a consumer has touched; ``MissingTableError`` where there is none.
    """
    async with connect(table) as caller:
        if not await _is_unfinished(caller, table):
            raise TableInUseError(f"discard {table}", "it is not the rest of an attempt to write it", "it stays")
        await active(caller, table, clock)
        found = await scan(caller, table, clock)
        touched = [lease.key for lease in found.leases.values() if lease.owner or lease.counter] or list(found.others)
        if touched:
            raise TableInUseError(f"discard {table}", f"a consumer wrote to {touched[0]}", "stop it; it stays")
        await caller.call("DeleteTable", {"TableName": table.name})
        await gone(caller, table, clock)


async def _make(caller: Caller, table: Table) -> None:
    tags = [{"Key": UNFINISHED_TAG, "Value": "no consumer may start from this table"}]
    try:
        # Making a table is DynamoDB's own condition that there is none, and the tag comes with it or not at all.
        await caller.call("CreateTable", {**table.definition, "Tags": tags})
    except BeingMadeError as error:
        raise await _refusal(caller, table) from error


async def _refusal(caller: Caller, table: Table) -> TableExistsError:
    tried = f"make {table}"
    # Whatever hides the tags, the table is there.
    with suppress(CheckpointError):
        if await _is_unfinished(caller, table):
            cause, hint = "an attempt before this one was cut short", "discard it, then write it again"
            return TableExistsError(tried, cause, hint)
    return TableExistsError(tried, "it is there already", "it is left as it is; give the new application another name")


async def _is_unfinished(caller: Caller, table: Table) -> bool:
    request = {"ResourceArn": await _arn(caller, table)}
    while True:
        page: Mapping[str, Any] = await caller.call("ListTagsOfResource", request)
        if any(tag["Key"] == UNFINISHED_TAG for tag in page.get("Tags", ())):
            return True
        if not page.get("NextToken"):
            return False
        request["NextToken"] = page["NextToken"]


async def _arn(caller: Caller, table: Table) -> str:
    answer: Mapping[str, Any] = await caller.call("DescribeTable", {"TableName": table.name})
    return str(answer["Table"]["TableArn"])


def _transactions(table: Table, leases: Sequence[NewLease]) -> Iterator[list[Mapping[str, object]]]:
    for start in range(0, len(leases), _TRANSACTION):
        yield [_put(table, lease) for lease in leases[start : start + _TRANSACTION]]


def _put(table: Table, lease: NewLease) -> Mapping[str, object]:
    # A row that is there is a consumer's which started too early: its place counts, and it is told by the failure.
    return {
        "Put": {
            "TableName": table.name,
            "Item": item(lease),
            "ConditionExpression": "attribute_not_exists(leaseKey)",
        }
    }
