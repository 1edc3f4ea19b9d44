"""Making the table where it is missing."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from checkpoints.base import CheckpointError
from checkpoints.dynamodb.client import Caller
from checkpoints.dynamodb.clock import Clock
from checkpoints.dynamodb.faults import BeingMadeError, MissingTableError
from checkpoints.dynamodb.table import Table

_POLL_S = 1.0
_POLLS = 60


async def create(caller: Caller, table: Table, clock: Clock) -> None:
    """Create the table, paid by request, and return when it can be used, also where somebody else creates it.

    Raises ``StoreRefusedError`` with the command to type where that is denied.
    """
    with suppress(BeingMadeError):
        await caller.call("CreateTable", table.definition)
    for _ in range(_POLLS):
        if await _status(caller, table) == "ACTIVE":
            return
        await clock.sleep(_POLL_S)
    raise CheckpointError(f"create {table}", f"not active after {_POLLS * _POLL_S:g} s", "look at it, start again")


async def _status(caller: Caller, table: Table) -> str:
    try:
        answer: Mapping[str, Any] = await caller.call("DescribeTable", {"TableName": table.name})
    except MissingTableError:
        # For a moment after it was asked for, it may not be known everywhere.
        return ""
    return str(answer["Table"]["TableStatus"])
