"""A table is read whole, consistently and without a trace."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import pytest

from bridge.migration.leases.lease import Processed
from bridge.migration.leases.rows import MalformedLeaseError
from bridge.migration.leases.scan import read
from checkpoints.base import CheckpointError, StoreRefusedError, StoreUnreachableError
from checkpoints.dynamodb.client import Caller, connect
from checkpoints.dynamodb.faults import MissingTableError
from checkpoints.dynamodb.table import Table
from tests.bridge.migration.leases.tables import (
    OTHERS_35,
    SHARDS,
    Application,
    JumpingClock,
    row_1x,
    row_2x,
    row_3x,
    row_35,
)


class Recorded(Caller):
    """Keeps what was asked for, and fails as told before it asks."""

    def __init__(self, failures: Iterable[CheckpointError] = ()) -> None:
        self.calls: list[tuple[str, Mapping[str, object]]] = []
        self._failures = iter(failures)
        self._caller: Caller

    @asynccontextmanager
    async def __call__(self, table: Table) -> AsyncIterator[Caller]:
        async with connect(table) as self._caller:
            yield self

    async def call(self, action: str, parameters: Mapping[str, object]) -> Mapping[str, object]:
        self.calls.append((action, dict(parameters)))
        for failure in self._failures:
            raise failure
        return await self._caller.call(action, parameters)


async def test_leases_of_all_versions_are_told_from_other_rows(application: Application, clock: JumpingClock) -> None:
    """A table on its way from one version to the next holds rows of both."""
    rows = (row_1x(SHARDS[0]), row_2x(SHARDS[1]), row_3x(SHARDS[2]), row_35(SHARDS[3]))
    await application.make((*rows, *OTHERS_35))
    found = await read(application.table, clock=clock)
    assert found.leases.keys() == set(SHARDS[:4])
    assert found.others.keys() == {row["leaseKey"]["S"] for row in OTHERS_35}


async def test_every_page_is_read_strongly_consistent_and_nothing_else_is_asked(
    application: Application, clock: JumpingClock
) -> None:
    """More rows than a call gives are no special case, and a permission to scan is enough."""
    shards = [f"shardId-{number:012}" for number in range(230)]
    await application.make(row_2x(shard, checkpoint={"S": str(number)}) for number, shard in enumerate(shards))
    recorded = Recorded()
    found = await read(application.table, clock=clock, connect=recorded)
    assert {key: lease.checkpoint for key, lease in found.leases.items()} == {
        shard: Processed(str(number)) for number, shard in enumerate(shards)
    }
    assert len(recorded.calls) == 3
    assert all(action == "Scan" and asked["ConsistentRead"] is True for action, asked in recorded.calls)


async def test_reading_changes_nothing(application: Application, clock: JumpingClock) -> None:
    """A good guest leaves the rows as they were."""
    await application.make((row_3x(), *OTHERS_35))
    before = await application.rows()
    await read(application.table, clock=clock)
    assert await application.rows() == before


async def test_throttling_is_waited_out_and_no_row_is_read_twice_or_skipped(
    application: Application, clock: JumpingClock
) -> None:
    """A table of few read units gives its rows all the same."""
    await application.make(map(row_2x, SHARDS))
    throttled = Recorded([CheckpointError("Scan", "ThrottlingException")] * 3)
    assert (await read(application.table, clock=clock, connect=throttled)).leases.keys() == set(SHARDS)
    assert clock.waited_s == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("failure", [StoreRefusedError("Scan", "denied"), StoreUnreachableError("Scan", "down")])
async def test_what_waiting_does_not_mend_is_told_at_once(
    application: Application, clock: JumpingClock, failure: CheckpointError
) -> None:
    """Nobody waits ten seconds for a permission."""
    recorded = Recorded([failure] * 20)
    with pytest.raises(type(failure)):
        await read(application.table, clock=clock, connect=recorded)
    assert len(recorded.calls) == 1


async def test_throttling_without_an_end_is_told(application: Application, clock: JumpingClock) -> None:
    """Patience has a limit, and the error that it ends with is the table's own."""
    recorded = Recorded([CheckpointError("Scan", "ThrottlingException")] * 20)
    with pytest.raises(CheckpointError, match="ThrottlingException"):
        await read(application.table, clock=clock, connect=recorded)
    assert sum(clock.waited_s) == 10.0


async def test_a_malformed_row_spoils_the_whole_reading(application: Application, clock: JumpingClock) -> None:
    """Leases without the one that was not understood would be taken for all of them."""
    await application.make((row_2x(SHARDS[0]), row_2x(SHARDS[1], checkpoint={"S": "?"})))
    with pytest.raises(MalformedLeaseError, match=SHARDS[1]):
        await read(application.table, clock=clock)


async def test_a_missing_table_is_named_with_what_to_check(application: Application, clock: JumpingClock) -> None:
    """Nobody is told to make a table for somebody else's application."""
    with pytest.raises(MissingTableError, match=f"{application.table.name}.*check the application's name") as error:
        await read(application.table, clock=clock)
    assert "create-table" not in str(error.value)
