"""An application is at rest when nothing of its table moves for longer than a worker may be silent."""

import re
from collections.abc import Awaitable, Callable

import pytest

from bridge.migration.leases.rest import AtRest, Moving, watch
from tests.bridge.migration.leases.tables import (
    OTHERS_35,
    SHARDS,
    Application,
    JumpingClock,
    Row,
    row_1x,
    row_2x,
    row_3x,
    row_35,
)

Meanwhile = Callable[[Application], Awaitable[None]]


class EventfulClock(JumpingClock):
    """While somebody waits, something happens."""

    def __init__(self, application: Application, meanwhile: Meanwhile) -> None:
        super().__init__()
        self._application = application
        self._meanwhile = meanwhile

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds)
        await self._meanwhile(self._application)


async def test_a_table_in_which_nothing_moves_is_at_rest(application: Application, clock: JumpingClock) -> None:
    """Owners of the last minute stay in the rows of a stopped application: they are no sign of life."""
    await application.make((row_1x(SHARDS[0]), row_35(SHARDS[1]), *OTHERS_35))
    found = await watch(application.table, clock=clock)
    assert isinstance(found, AtRest)
    assert found.scan.leases.keys() == set(SHARDS[:2])


@pytest.mark.parametrize("failover_s", [10.0, 45.0])
async def test_the_scans_are_further_apart_than_the_failover_time(
    application: Application, clock: JumpingClock, failover_s: float
) -> None:
    """A worker may be silent for that long and still be at work."""
    await application.make((row_2x(),))
    await watch(application.table, clock=clock, failover_s=failover_s)
    assert sum(clock.waited_s) > failover_s


@pytest.mark.parametrize(
    ("row", "told", "workers"),
    [
        (row_2x(leaseCounter={"N": "21"}), "lease counter 17 -> 21", ("worker-1",)),
        (row_2x(checkpoint={"S": "99"}), "checkpoint .*#0 -> 99#0", ("worker-1",)),
        (row_2x(checkpointSubSequenceNumber={"N": "1"}), "checkpoint .*#0 -> .*#1", ("worker-1",)),
        (row_2x(pendingCheckpoint={"S": "99"}), "pending checkpoint None -> 99#0", ("worker-1",)),
        (row_2x(leaseOwner={"S": "worker-2"}), "owner worker-1 -> worker-2", ("worker-1", "worker-2")),
        (row_2x(ownerSwitchesSinceCheckpoint={"N": "1"}), "owner switches 0 -> 1", ("worker-1",)),
        (row_2x(childShardIds={"SS": ["shardId-000000000009"]}), "children", ("worker-1",)),
        (row_2x(SHARDS[1], leaseOwner={"S": "worker-3"}), "the lease appeared", ("worker-3",)),
    ],
)
async def test_what_moves_is_named_with_its_worker(
    application: Application, row: Row, told: str, workers: tuple[str, ...]
) -> None:
    """The operator learns which process is still running."""
    await application.make((row_2x(), row_2x(SHARDS[5], leaseOwner={"S": "at rest"})))
    found = await watch(application.table, clock=EventfulClock(application, lambda app: app.put(row)))
    assert isinstance(found, Moving)
    [movement] = found.movements
    assert movement.key == row["leaseKey"]["S"]
    assert movement.workers == workers
    assert re.search(told, movement.what)


async def test_a_lease_that_goes_away_is_a_movement(application: Application) -> None:
    """Somebody cleans up behind a shard that has ended."""
    await application.make((row_2x(SHARDS[0]), row_2x(SHARDS[1])))
    found = await watch(application.table, clock=EventfulClock(application, lambda app: app.remove(SHARDS[1])))
    assert isinstance(found, Moving)
    assert [str(movement) for movement in found.movements] == [f"{SHARDS[1]}: the lease went away (by worker-1)"]


async def test_a_hand_over_that_has_not_ended_is_no_rest(application: Application, clock: JumpingClock) -> None:
    """Workers that were stopped in the middle of it have left two owners, however still the table is."""
    await application.make((row_3x(checkpointOwner={"S": "worker-0"}),))
    found = await watch(application.table, clock=clock)
    assert isinstance(found, Moving)
    [movement] = found.movements
    assert "hand-over from worker-0 to worker-1 has not ended" in movement.what
    assert movement.workers == ("worker-0", "worker-1")


async def test_a_worker_without_a_lease_is_seen_where_the_table_shows_it(application: Application) -> None:
    """From KCL 3.5 on the leader and the metrics move, whoever holds the leases."""
    await application.make((row_35(leaseOwner={"S": "gone"}), *OTHERS_35))
    beat = OTHERS_35[0] | {"recordVersionNumber": {"S": "another"}}
    found = await watch(application.table, clock=EventfulClock(application, lambda app: app.put(beat)))
    assert isinstance(found, Moving)
    assert [str(movement) for movement in found.movements] == ["Leader: the application's LEADER row changed"]
