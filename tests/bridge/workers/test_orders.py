"""Orders to lanes that are with workers, played by stand-ins."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import pytest

from bridge.control.order import Action, Answer, Order, Skipped
from bridge.engine.passing import OrderError, UnknownLaneError
from bridge.engine.retry import Backoff
from bridge.engine.status import LaneState
from bridge.workers.supervisor import Supervisor
from connectors.base import Clock
from tests.bridge.workers.stage import Actor, Stage
from tests.support.clocks import Hours
from tests.support.waiting import eventually


@asynccontextmanager
async def crew(stage: Stage, clock: Clock | None = None) -> AsyncIterator[tuple[Supervisor, Actor, Actor]]:
    """Two workers: the first with lanes 0, slow and bug, the second with lane 1."""
    supervisor = Supervisor(stage.command, 2, clock=clock or Clock(), backoff=lambda: Backoff(Random(1)))
    running = asyncio.create_task(supervisor.run())
    try:
        first, second = await stage.next(0), await stage.next(1)
        first.order("show", "running", 1, "0=running", "slow=running", "bug=running")
        second.order("show", "running", 1, "1=running")
        await eventually(lambda: len(supervisor.status().lanes) == 4, "both have told of their lanes")
        yield supervisor, first, second
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _states(supervisor: Supervisor) -> dict[str, LaneState]:
    return {lane.partition: lane.state for lane in supervisor.status().lanes}


def order(partition: str) -> Order:
    return Order(Action.SKIP, partition, "ops@desk", "now")


async def test_an_order_reaches_the_worker_that_has_the_lane(stage: Stage) -> None:
    """And its answer comes back whole."""
    async with crew(stage) as (supervisor, _, _):
        answer = await supervisor.carry_out(order("1"))
        assert answer == Answer("skip", "7", None, is_kept=True, skipped=Skipped("8", "9", 2, None, "ops@desk"))


async def test_a_refusal_comes_back_as_what_it_was(stage: Stage) -> None:
    """A lane that the worker has not any more, a lane of nobody here, and a bug that ends nothing."""
    async with crew(stage) as (supervisor, first, _):
        with pytest.raises(UnknownLaneError, match="not here"):
            await supervisor.carry_out(order("0"))
        with pytest.raises(UnknownLaneError, match="no worker of this process has it"):
            await supervisor.carry_out(order("4711"))
        with pytest.raises(OrderError, match="it gave no answer"):
            await supervisor.carry_out(order("bug"))
        supervisor.drain()
        await first.drains()


async def test_an_order_whose_worker_ends_is_answered_all_the_same(stage: Stage) -> None:
    """Whoever gave it learns that nobody knows, and where to look."""
    async with crew(stage) as (supervisor, first, _):
        given = asyncio.create_task(supervisor.carry_out(order("slow")))
        with pytest.raises(UnknownLaneError):
            # Behind the slow one on the same channel.
            await supervisor.carry_out(order("0"))
        first.kill()
        with pytest.raises(OrderError, match="see kmbridge status"):
            await given


async def test_an_order_goes_to_the_worker_that_was_heard_of_last(stage: Stage) -> None:
    """One that hangs told of lanes that others have taken over since; the status shows theirs, too."""
    async with crew(stage) as (supervisor, first, second):
        first.order("show", "running", 1)
        second.order("show", "running", 1, "bug=paused")
        await eventually(lambda: _states(supervisor) == {"bug": LaneState.PAUSED}, "the second has it")
        second.order("mute")
        first.order("show", "running", 1, "bug=failed")
        await eventually(lambda: _states(supervisor) == {"bug": LaneState.FAILED}, "the first has it now")
        with pytest.raises(OrderError, match="worker 0, which has it"):
            await supervisor.carry_out(order("bug"))


async def test_an_order_to_a_worker_that_falls_silent_is_given_up(stage: Stage) -> None:
    """Nobody waits for one that hangs: it may be stopped for hours."""
    clock = Hours()
    async with crew(stage, clock) as (supervisor, first, _):
        given = asyncio.create_task(supervisor.carry_out(order("slow")))
        first.kill(signal.SIGSTOP)
        clock.passed_s += 31
        with pytest.raises(OrderError, match="worker 0, which has it: it has not reported for 3"):
            await given


async def test_a_worker_that_its_group_has_lost_neither_tells_of_the_lane_nor_is_told(stage: Stage) -> None:
    """Whoever owns it now does both, however lately the other was heard of."""
    async with crew(stage) as (supervisor, first, second):
        second.order("show", "running", 1, "0=paused", "1=running")
        await eventually(lambda: _states(supervisor)["0"] is LaneState.PAUSED, "the new owner has told")
        first.order("show", "starting", 1, "0=retrying", "left=retrying")
        await eventually(lambda: _states(supervisor).get("left") is LaneState.RETRYING, "who lost it has told")
        assert _states(supervisor)["0"] is LaneState.PAUSED
        with pytest.raises(UnknownLaneError, match="no worker of this process has it"):
            await supervisor.carry_out(order("left"))
