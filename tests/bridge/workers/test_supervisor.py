"""Workers as real processes, played by stand-ins."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random

import pytest
from structlog.testing import capture_logs

from bridge.engine.retry import Backoff
from bridge.engine.status import LaneState, MirrorState, MirrorStatus
from bridge.workers.supervisor import Supervisor
from connectors.base import Clock
from tests.bridge.workers.stage import Actor, Stage
from tests.support.clocks import Hours
from tests.support.waiting import eventually


class Full(Random):
    """No jitter: every delay is as long as it may be."""

    def uniform(self, a: float, b: float) -> float:
        return b


class Troupe:
    """A supervisor of stand-ins."""

    def __init__(self, stage: Stage, count: int) -> None:
        self.clock = Hours()
        self.supervisor = Supervisor(
            stage.command,
            count,
            clock=self.clock,
            backoff=lambda: Backoff(Full(1), first_s=0.01, ceiling_s=0.08),
        )
        self._running = asyncio.create_task(self.supervisor.run())

    async def ended(self) -> int:
        async with asyncio.timeout(30):
            return await self._running

    def is_over_later(self) -> bool:
        """Put the clock forward at each call: what a worker said before it hung may be heard after the first."""
        self.clock.passed_s += 40
        return self._running.done()

    async def shows(self, condition: Callable[[MirrorStatus], bool], what: str) -> MirrorStatus:
        """The status, once it is so."""
        await eventually(lambda: condition(self.supervisor.status()), what)
        return self.supervisor.status()

    async def is_running(self) -> None:
        await self.shows(lambda status: status.state is MirrorState.RUNNING, "a worker is ready")

    async def drained(self, *actors: Actor) -> int:
        self.supervisor.drain()
        for actor in actors:
            await actor.drains()
            actor.order("exit", 0)
        return await self.ended()

    async def cancel(self) -> None:
        self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running


@asynccontextmanager
async def troupe(stage: Stage, count: int) -> AsyncIterator[Troupe]:
    made = Troupe(stage, count)
    try:
        yield made
    finally:
        await made.cancel()


@pytest.mark.parametrize("how", ["kill", "crash", "leave"])
async def test_a_worker_that_ends_by_itself_is_started_again(stage: Stage, how: str) -> None:
    """Whatever ended it, and also where it ended without a fault; the others go on meanwhile."""
    async with troupe(stage, 2) as company:
        other = await stage.next(0)
        other.order("show", "running", 0)
        first = await stage.next(1)
        first.order("show", "running", 0)
        await company.is_running()
        with capture_logs() as logs:
            if how == "kill":
                first.kill()
            else:
                first.order("exit", 1 if how == "crash" else 0)
            second = await stage.next(1)
        assert second.pid != first.pid
        cause = {"kill": "SIGKILL", "crash": "exit code 1", "leave": "exit code 0"}[how]
        assert [(line["worker"], line["cause"], line["restart_in_s"]) for line in logs] == [(1, cause, 0.01)]
        assert stage.is_empty(0)
        assert company.supervisor.restarts() == 1
        assert await company.drained(other, second) == 0


async def test_restarts_wait_longer_each_time_until_one_has_run_well(stage: Stage) -> None:
    """A worker that dies again and again is no load; one that ran well for a while is back soon."""
    async with troupe(stage, 1) as company:
        with capture_logs() as logs:
            for _ in range(5):
                (await stage.next(0)).kill()
            actor = await stage.next(0)
            actor.order("show", "running", 0)
            await company.is_running()
            company.clock.passed_s = 3600
            actor.kill()
            last = await stage.next(0)
        assert [line["restart_in_s"] for line in logs] == [0.01, 0.02, 0.04, 0.08, 0.08, 0.01]
        assert await company.drained(last) == 0


async def test_totals_never_go_backward(stage: Stage) -> None:
    """What a killed worker had told stays in every total, and its next life adds to it."""
    async with troupe(stage, 2) as company:
        other, first = await stage.next(0), await stage.next(1)
        other.order("show", "running", 3)
        first.order("show", "running", 4)
        await company.shows(lambda status: status.records_written == 7, "7 records")
        first.kill()
        second = await stage.next(1)
        assert company.supervisor.status().records_written == 7
        second.order("show", "running", 10)
        status = await company.shows(lambda status: status.records_written == 17, "17 records")
        assert (status.records_read, status.bytes_read, status.bytes_written) == (20, 340, 170)
        assert (status.skipped, status.dead_letters, status.gaps) == ({"loop": 17}, {"too_large": 17}, 17)
        assert (status.latency.counts[0], status.latency.sum_s) == (17, 8.5)
        assert (status.records_per_second, status.buffered_bytes) == (4.0, 200)
        counts = company.supervisor.counts()
        assert (counts.retries, counts.throttled) == ({("write", "timeout"): 17}, {"read": 17})
        assert await company.drained(other, second) == 0
        assert company.supervisor.status().records_written == 17


async def test_the_last_report_of_a_worker_counts(stage: Stage) -> None:
    """What it finished while it drained is in the totals."""
    async with troupe(stage, 1) as company:
        actor = await stage.next(0)
        actor.order("show", "running", 1)
        await company.is_running()
        actor.order("mute")
        actor.order("show", "stopped", 5)
        assert await company.drained(actor) == 0
        status = company.supervisor.status()
        assert (status.records_written, status.state) == (5, MirrorState.STOPPED)


async def test_each_partition_is_there_once_and_never_lost_from_sight(stage: Stage) -> None:
    """A dead worker's lanes are shown as what they are until somebody works on them again; finished ones are gone."""
    async with troupe(stage, 2) as company:
        other, first = await stage.next(0), await stage.next(1)
        other.order("show", "running", 0, "a=running")
        first.order("show", "running", 0, "b=running", "c=failed", "d=finished", "e=running")
        await company.shows(lambda status: len(status.lanes) == 5, "all lanes")
        first.kill()
        second = await stage.next(1)
        other.order("show", "running", 0, "a=running", "b=running")
        status = await company.shows(lambda status: status.lanes[1].state is LaneState.RUNNING, "a takeover")
        lanes = {lane.partition: lane for lane in status.lanes}
        assert {name: lane.state.value for name, lane in lanes.items()} == {
            "a": "running",
            "b": "running",
            "c": "failed",
            "e": "retrying",
        }
        assert lanes["e"].error == "worker 1 ended: SIGKILL"
        second.order("show", "running", 0)
        await company.shows(lambda status: [lane.partition for lane in status.lanes] == ["a", "b"], "the lanes owned")
        assert await company.drained(other, second) == 0


async def test_the_mirror_runs_while_one_worker_does(stage: Stage) -> None:
    """It starts until the first is ready, owns all work then, and starts again when the last one is gone."""
    async with troupe(stage, 2) as company:
        assert company.supervisor.status().state is MirrorState.STARTING
        first, second = await stage.next(0), await stage.next(1)
        first.order("show", "running", 0)
        await company.is_running()
        first.kill()
        await company.shows(lambda status: status.state is MirrorState.STARTING, "nobody is ready")
        second.order("show", "running", 0)
        await company.is_running()
        company.supervisor.drain()
        assert company.supervisor.status().state is MirrorState.DRAINING
        assert await company.drained(await stage.next(0), second) == 0
        assert company.supervisor.status().state is MirrorState.STOPPED


async def test_a_worker_that_hangs_is_told_of(stage: Stage) -> None:
    """Its last status stays, but nobody is ready and the health says why, until it goes on."""
    async with troupe(stage, 1) as company:
        actor = await stage.next(0)
        actor.order("show", "running", 7)
        await company.is_running()
        assert company.supervisor.trouble() is None
        actor.kill(signal.SIGSTOP)
        company.clock.passed_s = 40
        assert company.supervisor.trouble() == "worker 0 has not reported for 40 s"
        status = company.supervisor.status()
        assert (status.state, status.records_written) == (MirrorState.STARTING, 7)
        actor.kill(signal.SIGCONT)
        await company.is_running()
        assert company.supervisor.trouble() is None
        assert await company.drained(actor) == 0


async def test_a_drain_cuts_a_restart_short(stage: Stage) -> None:
    """Who waits for its next start is not started any more."""
    async with troupe(stage, 1) as company:
        company.supervisor._backoff = lambda: Backoff(Full(1), first_s=3600, ceiling_s=3600)
        (await stage.next(0)).kill()
        await company.shows(lambda _: company.supervisor._workers[0].last_code == -9, "the end")
        assert await company.drained() == 0
        assert stage.is_empty(0)


async def test_a_drain_before_anything_has_started_starts_nothing(stage: Stage) -> None:
    """The first signal may come at any time."""
    async with troupe(stage, 2) as company:
        assert await company.drained() == 0
        assert stage.is_empty(0)


async def test_a_worker_that_does_not_drain_cleanly_is_exit_code_1(stage: Stage) -> None:
    """What it had read may have to be read again, and a person should know."""
    async with troupe(stage, 2) as company:
        first, second = await stage.next(0), await stage.next(1)
        company.supervisor.drain()
        await first.drains()
        first.kill()
        second.order("exit", 0)
        assert await company.ended() == 1


async def test_a_drain_does_not_wait_for_a_worker_that_hangs(stage: Stage) -> None:
    """One whose loop a step blocks never hears of the drain: it is ended, and the exit code says so."""
    async with troupe(stage, 2) as company:
        first, second = await stage.next(0), await stage.next(1)
        first.order("show", "running", 7)
        await company.is_running()
        first.kill(signal.SIGSTOP)
        company.supervisor.drain()
        second.order("exit", 0)
        await eventually(company.is_over_later, "the end")
        assert await company.ended() == 1


@pytest.mark.parametrize("code", [2, 3])
async def test_a_start_that_cannot_succeed_ends_all_with_its_code(stage: Stage, code: int) -> None:
    """Wrong usage and unreachable endpoints are for a person; the other workers are drained."""
    async with troupe(stage, 2) as company:
        first, second = await stage.next(0), await stage.next(1)
        first.order("exit", code)
        await second.drains()
        second.order("exit", 0)
        assert await company.ended() == code
        assert company.supervisor.status().state is MirrorState.FAILED


async def test_an_endpoint_that_is_lost_later_is_waited_for(stage: Stage) -> None:
    """A worker that cannot come back now may do so when the endpoint does."""
    async with troupe(stage, 1) as company:
        first = await stage.next(0)
        first.order("show", "running", 0)
        await company.is_running()
        first.kill()
        (await stage.next(0)).order("exit", 3)
        assert await company.drained(await stage.next(0)) == 0


async def test_when_no_worker_can_go_on_the_whole_ends_with_1(stage: Stage) -> None:
    """One that fails may leave its work to the others; where all have failed and none is ready, that is the end."""
    async with troupe(stage, 2) as company:
        first, second = await stage.next(0), await stage.next(1)
        second.order("show", "running", 0)
        await company.is_running()
        first.order("exit", 1)
        again = await stage.next(0)
        second.order("exit", 1)
        await again.drains()
        again.order("exit", 0)
        assert await company.ended() == 1


async def test_one_that_is_ready_keeps_the_whole_alive(stage: Stage) -> None:
    """Its own former failure does not count any more."""
    async with troupe(stage, 2) as company:
        first, second = await stage.next(0), await stage.next(1)
        first.order("exit", 1)
        again = await stage.next(0)
        again.order("show", "running", 0)
        await company.is_running()
        second.order("exit", 1)
        assert await company.drained(again, await stage.next(1)) == 0


async def test_a_report_that_cannot_be_read_is_a_fault_of_that_worker(stage: Stage) -> None:
    """As after an upgrade beneath a running supervisor: it is started again, the others go on."""
    async with troupe(stage, 2) as company:
        other, first = await stage.next(0), await stage.next(1)
        with capture_logs() as logs:
            first.order("stammer")
            second = await stage.next(1)
        assert [line["event"] for line in logs] == ["a worker's reports cannot be read", "a worker ended"]
        assert await company.drained(other, second) == 0


async def test_a_command_that_cannot_be_started_ends_with_1() -> None:
    """There is nothing to wait for."""
    supervisor = Supervisor(lambda _: ["/nonexistent"], 2, clock=Clock(), backoff=lambda: Backoff(Random(1)))
    async with asyncio.timeout(30):
        assert await supervisor.run() == 1


async def test_cancelling_leaves_nothing_behind(stage: Stage) -> None:
    """Every process has ended when the supervisor has."""
    async with troupe(stage, 2) as company:
        actors = [await stage.next(0), await stage.next(1)]
        await company.cancel()
        for actor in actors:
            with pytest.raises(ProcessLookupError):
                actor.kill()


async def test_workers_do_not_hear_what_a_terminal_tells_its_processes(stage: Stage) -> None:
    """Ctrl-C reaches the supervisor alone, so that it is the first signal and not the second."""
    async with troupe(stage, 1) as company:
        actor = await stage.next(0)
        assert os.getsid(actor.pid) == actor.pid != os.getsid(0)
        assert await company.drained(actor) == 0
