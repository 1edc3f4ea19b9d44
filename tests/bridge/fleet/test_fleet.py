"""Mirrors side by side: what one of them does, or suffers, is its own affair."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bridge.config import Configuration, Family, Mirrors, load_all
from bridge.control.order import Answer, Order
from bridge.engine.retry import Backoff
from bridge.engine.status import LaneStatus, MirrorState, MirrorStatus
from bridge.errors import BridgeError
from bridge.fleet.fleet import Fleet
from bridge.telemetry.observed import ObservedMirror
from connectors.base import Clock, UnreachableError
from tests.bridge.telemetry.statuses import STARTING, lane
from tests.support.waiting import eventually

FILE = """\
defaults:
  limits: {{memory: 64MiB}}
  sink: {{kafka: {{bootstrap_servers: [b:1], topic: "{{stream}}"}}}}
mirrors: [{mirrors}]
"""
ENTRY = "{{name: {name}, source: {{kinesis: {{stream: {name}}}}}, sink: {{kafka: {{topic: {name}}}}}}}"
PATTERN = '{source: {kinesis: {stream: "orders-*", region: eu-west-1}}}'


class PlayedLife:
    """A life that goes on until it is stopped, or told to fail."""

    def __init__(self, asked: Configuration) -> None:
        self.asked = asked
        self.memory = asked.limits.memory
        self.observed = ObservedMirror(asked.name, self.status, cutover=lambda: {"told": asked.name})
        self.state = MirrorState.STARTING
        self.has_worked = False
        self.lanes: tuple[LaneStatus, ...] = ()
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def carry_out(self, order: Order) -> Answer:
        raise NotImplementedError

    def status(self) -> MirrorStatus:
        return replace(STARTING, state=self.state, records_written=10, lanes=self.lanes)

    async def run(self, address: str | None) -> None:
        self.state, self.has_worked = MirrorState.RUNNING, True
        await self._end

    def stop(self, asked_by: str) -> None:
        if not self._end.done():
            self._end.set_result(None)

    def confine(self, memory: int) -> None:
        self.memory = memory

    def fail(self, error: Exception) -> None:
        self._end.set_exception(error)


class Stage:
    """A fleet of played lives, and the names that are listed for its patterns."""

    def __init__(self, asked: Mirrors) -> None:
        self.lives: dict[str, list[PlayedLife]] = {}
        self.names: set[str] | Exception = set()
        self.fleet = Fleet(
            asked,
            self._begin,
            self._names,
            clock=Clock(),
            backoff=lambda: Backoff(Random(1), first_s=0.001, ceiling_s=0.002),
        )

    @property
    def states(self) -> dict[str, MirrorState]:
        return {each.name: each.status().state for each in self.fleet.observed}

    def now(self, name: str) -> PlayedLife:
        return self.lives[name][-1]

    async def until_running(self, *names: str) -> None:
        await eventually(lambda: self.states == dict.fromkeys(names, MirrorState.RUNNING), "what the test waits for")

    def _begin(self, asked: Configuration) -> PlayedLife:
        life = PlayedLife(asked)
        self.lives.setdefault(asked.name, []).append(life)
        return life

    async def _names(self, family: Family) -> set[str]:
        if isinstance(self.names, Exception):
            raise self.names
        return self.names


Made = Callable[..., Awaitable[Stage]]


@pytest.fixture
def stage(tmp_path: Path) -> Made:
    async def made(*mirrors: str) -> Stage:
        file = tmp_path / "fleet.yaml"
        await asyncio.to_thread(file.write_text, FILE.format(mirrors=", ".join(mirrors)))
        return Stage(await asyncio.to_thread(load_all, [str(file)], environment={}))

    return made


@asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[Awaitable[None]]:
    """The fleet's run, stopped on leaving."""
    task = asyncio.create_task(stage.fleet.run(None))
    try:
        yield task
    finally:
        stage.fleet.stop("test")
        await task


def entries(*names: str) -> list[str]:
    return [ENTRY.format(name=name) for name in names]


async def test_one_that_fails_is_started_again_and_the_others_go_on(stage: Made) -> None:
    """Its totals count on."""
    played = await stage(*entries("a", "b"))
    async with running(played):
        await played.until_running("a", "b")
        played.now("a").fail(BridgeError("mirror", "no lane can go on"))
        await eventually(lambda: len(played.lives["a"]) == 2, "what the test waits for")
        await played.until_running("a", "b")
        assert len(played.lives["b"]) == 1
        totals = {each.name: each.status().records_written for each in played.fleet.observed}
        assert totals == {"a": 20, "b": 10}
        assert {each.name: each.restarts() for each in played.fleet.observed} == {"a": 1, "b": 0}
    assert played.fleet.failure is None


async def test_each_tells_of_its_own_migration(stage: Made) -> None:
    """Also one that lives a second time; before it lives there is none to tell of."""
    played = await stage(*entries("a", "b"))
    async with running(played):
        assert played.fleet.observed == []
        await played.until_running("a", "b")
        played.now("a").fail(BridgeError("mirror", "no lane can go on"))
        await eventually(lambda: len(played.lives["a"]) == 2, "what the test waits for")
        assert [each.cutover() for each in played.fleet.observed] == [{"told": "a"}, {"told": "b"}]


async def test_one_that_came_back_and_stands_still_since_has_not_failed(stage: Made) -> None:
    """What ended an earlier life is over: it is not shown again, nor taken for a mirror that does not work. So it is
    also where nobody looked while it was at work.
    """
    played = await stage(*entries("a", "b"))
    async with running(played):
        await played.until_running("a", "b")
        played.now("a").fail(BridgeError("mirror", "no lane can go on"))
        await eventually(lambda: len(played.lives["a"]) == 2 and played.now("a").has_worked, "another life at work")
        played.now("a").state = MirrorState.STARTING
        assert played.states == {"a": MirrorState.STARTING, "b": MirrorState.RUNNING}


async def test_a_bug_in_one_does_not_end_the_others(stage: Made) -> None:
    """Whatever is raised, it is logged with its traceback, and tried again."""
    played = await stage(*entries("a", "b"))
    async with running(played):
        await played.until_running("a", "b")
        played.now("a").fail(ZeroDivisionError())
        await eventually(lambda: len(played.lives["a"]) == 2, "what the test waits for")
        assert len(played.lives["b"]) == 1


async def test_why_one_does_not_run_is_shown(stage: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it waits for its next start it is failed, with the error, and its lanes fall behind as time passes."""
    played = await stage(*entries("a", "b"))
    monkeypatch.setattr("bridge.fleet.member.Member._pause", lambda _: asyncio.Event().wait())
    task = asyncio.create_task(played.fleet.run(None))
    await played.until_running("a", "b")
    played.now("a").lanes = (replace(lane("0"), lag_ms=0, watermark_ms=Clock().now_ms() - 60_000),)
    played.now("a").fail(UnreachableError("open the sink", "nobody listens"))
    await eventually(lambda: played.states["a"] is MirrorState.FAILED, "what the test waits for")
    told = played.fleet.observed[0].status()
    assert told.error is not None
    assert "nobody listens" in told.error
    assert [each.lag_ms >= 60_000 for each in told.lanes] == [True]
    task.cancel()
    await asyncio.wait([task])


async def test_when_none_works_the_process_ends_with_the_reason(stage: Made) -> None:
    """Whoever started it hears of it, and starts it anew."""
    played = await stage(*entries("a", "b"))
    async with running(played) as run:
        await played.until_running("a", "b")
        error = UnreachableError("open the sink", "nobody listens")
        played.now("a").fail(error)
        played.now("b").fail(error)
        await run
    assert played.fleet.failure is error


async def test_one_that_does_not_drain_is_told_by_the_whole(stage: Made) -> None:
    """The exit code says that something was not saved."""
    played = await stage(*entries("a", "b"))
    error = BridgeError("save the last checkpoints", "no answer")
    async with running(played):
        await played.until_running("a", "b")
        played.now("a").stop = lambda asked_by: played.now("a").fail(error)  # type: ignore[method-assign]
    assert played.fleet.failure is error


async def test_the_memory_is_divided_among_all(stage: Made) -> None:
    """So that one whose sink does not answer takes nothing from the others."""
    played = await stage(*entries("a", "b"), PATTERN)
    played.names = {"orders-1", "orders-2", "bills"}
    async with running(played):
        await played.until_running("a", "b", "orders-1", "orders-2")
        assert {lives[-1].memory for lives in played.lives.values()} == {16 * 2**20}


async def test_a_name_that_appears_gets_a_mirror_and_one_that_is_gone_loses_it(
    stage: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is gone is mirrored until its mirror fails: what was read before still arrives."""
    monkeypatch.setattr("bridge.fleet.fleet.LOOK_S", 0.001)
    played = await stage(PATTERN)
    played.names = {"orders-1"}
    async with running(played):
        await played.until_running("orders-1")
        played.names = {"orders-1", "orders-2"}
        await played.until_running("orders-1", "orders-2")
        played.names = {"orders-2"}
        await eventually(lambda: not played.fleet._members["orders-1"].is_wanted, "what the test waits for")
        assert played.states["orders-1"] is MirrorState.RUNNING
        played.now("orders-1").fail(UnreachableError("read", "no such stream"))
        await played.until_running("orders-2")
        assert len(played.lives["orders-1"]) == 1
        played.names = {"orders-1", "orders-2"}
        await played.until_running("orders-2", "orders-1")
    assert played.fleet.failure is None


async def test_names_that_cannot_be_listed_leave_the_mirrors_alone(
    stage: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are looked for again."""
    monkeypatch.setattr("bridge.fleet.fleet.LOOK_S", 0.001)
    played = await stage(PATTERN)
    played.names = {"orders-1"}
    async with running(played):
        await played.until_running("orders-1")
        played.names = UnreachableError("list the streams", "no answer")
        await eventually(lambda: bool(played.fleet._unlisted), "what the test waits for")
        played.names = {"orders-1", "orders-2"}
        await played.until_running("orders-1", "orders-2")
        assert len(played.lives["orders-1"]) == 1


async def test_names_that_were_never_listed_end_the_process(stage: Made) -> None:
    """Where there is nothing else to do."""
    played = await stage(PATTERN)
    played.names = error = UnreachableError("list the streams", "no answer")
    async with running(played) as run:
        await run
    assert played.fleet.failure is error
