"""Making the table where it is missing, and waiting until what was asked for is so."""

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
    await active(caller, table, clock)


async def active(caller: Caller, table: Table, clock: Clock) -> None:
    """Return when a table that was asked for can be used. Raises ``CheckpointError`` after a minute."""
    # For a moment after it was asked for, it may not be known everywhere.
    if not await _becomes("ACTIVE", caller, table, clock):
        raise CheckpointError(f"create {table}", f"not active after {_POLLS * _POLL_S:g} s", "look at it, start again")


async def gone(caller: Caller, table: Table, clock: Clock) -> None:
    """Return when a table that was deleted is no more. Raises ``CheckpointError`` after a minute."""
    if not await _becomes(None, caller, table, clock):
        raise CheckpointError(f"delete {table}", f"not gone after {_POLLS * _POLL_S:g} s", "look at it")


async def _becomes(wanted: str | None, caller: Caller, table: Table, clock: Clock) -> bool:
    for _ in range(_POLLS):
        if await _status(caller, table) == wanted:
            return True
        await clock.sleep(_POLL_S)
    return False


async def _status(caller: Caller, table: Table) -> str | None:
    """None where there is no such table."""
    try:
        answer: Mapping[str, Any] = await caller.call("DescribeTable", {"TableName": table.name})
    except MissingTableError:
        return None
    return str(answer["Table"]["TableStatus"])
