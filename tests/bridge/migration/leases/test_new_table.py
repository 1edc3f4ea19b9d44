"""A new application's table is made whole, or it says that it is not; nobody else's table is touched."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from bridge.migration.leases.lease import HashRange, Lease, NewLease, Processed, Sentinel
from bridge.migration.leases.new_table import (
    TableExistsError,
    TableInUseError,
    UnfinishedTableError,
    create,
    discard,
)
from bridge.migration.leases.scan import read
from checkpoints.base import CheckpointError, StoreRefusedError
from checkpoints.dynamodb.client import Caller, Connect, connect
from checkpoints.dynamodb.faults import MissingTableError
from checkpoints.dynamodb.table import Table
from tests.bridge.migration.leases.tables import SEQUENCE, SHARDS, Application, JumpingClock, row_2x

WHOLE = HashRange(0, 2**128 - 1)
LEASES = (
    NewLease(SHARDS[0], Sentinel.SHARD_END, WHOLE, children=(SHARDS[1], SHARDS[2])),
    NewLease(SHARDS[1], Processed(SEQUENCE, 3), HashRange(0, 2**127 - 1), parents=(SHARDS[0],)),
    NewLease(SHARDS[2], Sentinel.TRIM_HORIZON, HashRange(2**127, 2**128 - 1), parents=(SHARDS[0],)),
)
MANY = tuple(NewLease(f"shardId-{number:012}", Processed(str(number)), WHOLE) for number in range(130))


class Failing(Caller):
    """Raises instead of the ``number``-th call of ``action``, counted from 1: a failure, a cancellation, a kill."""

    def __init__(self, action: str, number: int, failure: BaseException) -> None:
        self._action = action
        self._left = number
        self._failure = failure
        self._caller: Caller

    @asynccontextmanager
    async def __call__(self, table: Table) -> AsyncIterator[Caller]:
        async with connect(table) as self._caller:
            yield self

    async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
        self._left -= action == self._action
        if action == self._action and self._left == 0:
            raise self._failure
        return await self._caller.call(action, parameters)


CUT_SHORT = [
    pytest.param(LEASES, "DescribeTable", 1, 0, id="before any row"),
    pytest.param(MANY, "TransactWriteItems", 1, 0, id="at the first rows"),
    pytest.param(MANY, "TransactWriteItems", 2, 100, id="at the last rows"),
    pytest.param(MANY, "UntagResource", 1, 130, id="behind the last row"),
]


async def test_the_rows_are_those_that_kcl_begins_with(application: Application, clock: JumpingClock) -> None:
    """Attribute by attribute, as its own serializer writes leases which nobody has held."""
    await create(application.table, LEASES, clock=clock)
    fresh = {"leaseCounter": {"N": "0"}, "ownerSwitchesSinceCheckpoint": {"N": "0"}}
    rows = await application.rows()
    rows[SHARDS[0]]["childShardIds"]["SS"].sort()
    assert rows == {
        SHARDS[0]: {
            "leaseKey": {"S": SHARDS[0]},
            **fresh,
            "checkpoint": {"S": "SHARD_END"},
            "checkpointSubSequenceNumber": {"N": "0"},
            "childShardIds": {"SS": [SHARDS[1], SHARDS[2]]},
            "startingHashKey": {"S": "0"},
            "endingHashKey": {"S": str(2**128 - 1)},
        },
        SHARDS[1]: {
            "leaseKey": {"S": SHARDS[1]},
            **fresh,
            "checkpoint": {"S": SEQUENCE},
            "checkpointSubSequenceNumber": {"N": "3"},
            "parentShardId": {"SS": [SHARDS[0]]},
            "startingHashKey": {"S": "0"},
            "endingHashKey": {"S": str(2**127 - 1)},
        },
        SHARDS[2]: {
            "leaseKey": {"S": SHARDS[2]},
            **fresh,
            "checkpoint": {"S": "TRIM_HORIZON"},
            "checkpointSubSequenceNumber": {"N": "0"},
            "parentShardId": {"SS": [SHARDS[0]]},
            "startingHashKey": {"S": str(2**127)},
            "endingHashKey": {"S": str(2**128 - 1)},
        },
    }


@pytest.mark.parametrize("leases", [LEASES, MANY], ids=["one transaction", "two transactions"])
async def test_a_table_that_was_made_is_read_as_it_was_meant(
    application: Application, clock: JumpingClock, leases: Sequence[NewLease]
) -> None:
    """However many shards, and nothing else is in it."""
    await create(application.table, leases, clock=clock)
    found = await read(application.table, clock=clock)
    assert found.leases == {lease.shard: _as_read(lease) for lease in leases}
    assert found.others == {}
    table = (await application.call("DescribeTable"))["Table"]
    assert table["KeySchema"] == [{"AttributeName": "leaseKey", "KeyType": "HASH"}]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def _as_read(lease: NewLease) -> Lease:
    return Lease(
        key=lease.shard,
        shard=lease.shard,
        stream=None,
        checkpoint=lease.checkpoint,
        counter=0,
        parents=lease.parents,
        children=lease.children,
        hashes=lease.hashes,
    )


@pytest.mark.parametrize("rows", [(), (row_2x(),)], ids=["empty", "in use"])
async def test_a_table_that_is_there_is_neither_written_nor_discarded(
    application: Application, clock: JumpingClock, rows: tuple[dict[str, object], ...]
) -> None:
    """It is somebody else's, also where it is empty."""
    await application.make(rows)
    before = await application.rows()
    with pytest.raises(TableExistsError, match=f"{application.table.name}.*another name"):
        await create(application.table, LEASES, clock=clock)
    with pytest.raises(TableInUseError, match="not the rest of an attempt"):
        await discard(application.table, clock=clock)
    assert await application.rows() == before


async def test_a_table_that_was_made_is_not_made_again_nor_discarded(
    application: Application, clock: JumpingClock
) -> None:
    """From its last row on it belongs to the application."""
    await create(application.table, LEASES, clock=clock)
    with pytest.raises(TableExistsError, match="another name"):
        await create(application.table, [replace(LEASES[1], parents=())], clock=clock)
    with pytest.raises(TableInUseError):
        await discard(application.table, clock=clock)
    assert (await application.rows()).keys() == set(SHARDS[:3])


async def test_of_two_that_make_one_table_one_succeeds(application: Application, clock: JumpingClock) -> None:
    """Making a table is the condition that there is none."""
    attempts = (create(application.table, [lease], clock=clock) for lease in MANY[:2])
    first, second = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(result) for result in sorted((first, second), key=str)].count(TableExistsError) == 1
    assert len(await application.rows()) == 1


@pytest.mark.parametrize(("leases", "action", "number", "written"), CUT_SHORT)
async def test_an_attempt_that_was_cut_short_says_so_and_can_be_taken_back(
    application: Application, clock: JumpingClock, leases: Sequence[NewLease], action: str, number: int, written: int
) -> None:
    """Wherever it ended: no consumer starts from half of the shards, and the next attempt begins anew."""
    failing = Failing(action, number, CheckpointError(action, "no answer in time"))
    with pytest.raises(UnfinishedTableError, match=r"no answer in time.*start no consumer.*discard it"):
        await create(application.table, leases, clock=clock, connect=failing)
    await _still_unfinished(application, clock, written)
    await discard(application.table, clock=clock)
    await create(application.table, leases, clock=clock)
    assert len(await application.rows()) == len(leases)


async def _still_unfinished(application: Application, clock: JumpingClock, written: int) -> None:
    with pytest.raises(TableExistsError, match=r"cut short.*discard it"):
        await create(application.table, LEASES, clock=clock)
    assert len((await application.call("Scan"))["Items"]) == written


@pytest.mark.parametrize(("leases", "action", "number", "written"), CUT_SHORT)
async def test_a_cancelled_attempt_is_known_as_one(
    application: Application, clock: JumpingClock, leases: Sequence[NewLease], action: str, number: int, written: int
) -> None:
    """As one that was killed: nothing of it runs on to clean up behind itself."""
    failing = Failing(action, number, asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await create(application.table, leases, clock=clock, connect=failing)
    await _still_unfinished(application, clock, written)
    await discard(application.table, clock=clock)
    with pytest.raises(MissingTableError):
        await application.call("DescribeTable")


async def test_a_consumer_that_started_too_early_keeps_its_rows(application: Application, clock: JumpingClock) -> None:
    """KCL fills what it finds empty: writing over it would move a running consumer."""
    theirs = row_2x(SHARDS[1])

    class Early(Failing):
        async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
            if action == "TransactWriteItems":
                await application.put(theirs)
            return await super().call(action, parameters)

    early: Connect = Early("none", 0, CheckpointError("none", "none"))
    with pytest.raises(UnfinishedTableError, match="ConditionalCheckFailed"):
        await create(application.table, LEASES, clock=clock, connect=early)
    with pytest.raises(TableInUseError, match=f"a consumer wrote to {SHARDS[1]}"):
        await discard(application.table, clock=clock)
    assert await application.rows() == {SHARDS[1]: theirs}


async def test_without_the_permission_nothing_is_made_and_nobody_is_told_to_make_an_empty_table(
    application: Application, clock: JumpingClock
) -> None:
    """A table made by hand would be refused as somebody else's."""
    denied = Failing("CreateTable", 1, StoreRefusedError("CreateTable", "denied", "allow dynamodb:CreateTable"))
    with pytest.raises(StoreRefusedError):
        await create(application.table, LEASES, clock=clock, connect=denied)
    with pytest.raises(MissingTableError):
        await discard(application.table, clock=clock)


@pytest.mark.parametrize("leases", [(), (LEASES[1], LEASES[1])], ids=["none", "one twice"])
async def test_what_cannot_be_an_application_is_refused_before_anything_is_made(
    application: Application, clock: JumpingClock, leases: Sequence[NewLease]
) -> None:
    """KCL would start such a table from its own configuration, not from here."""
    with pytest.raises(ValueError, match="one lease for each shard"):
        await create(application.table, leases, clock=clock)
    with pytest.raises(MissingTableError):
        await application.call("DescribeTable")
