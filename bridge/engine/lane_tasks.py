"""The tasks of lanes: opened where that is needed, run, settled or stopped."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from functools import partial

from bridge.engine.lane import Lane
from bridge.engine.opening import Opening
from bridge.engine.policy import Policy


class LaneTasks:
    """A lane is started once: its opening, which many share, and then its run. Who stops it may start it again."""

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        opening: Opening,
        policy: Policy,
        withdraw: Callable[[Collection[str]], None],
        ended: Callable[[Lane], None],
    ) -> None:
        """``withdraw`` takes back what of lanes is not on its way; ``ended`` hears of each that has run."""
        self._lanes = lanes
        self._opening = opening
        self._policy = policy
        self._withdraw = withdraw
        self._ended = ended
        self._openings: dict[str, asyncio.Task[None]] = {}
        self._runs: dict[str, asyncio.Task[None]] = {}
        self._group: asyncio.TaskGroup | None = None

    def run_in(self, group: asyncio.TaskGroup) -> None:
        """All become tasks of ``group``."""
        self._group = group

    @property
    def started(self) -> Collection[str]:
        """The names of lanes that are opened, run or have run."""
        return self._openings.keys() | self._runs.keys()

    def start(self, names: Collection[str]) -> None:
        """Start these, which are not started. Nothing before ``run_in``."""
        if self._group is None:
            return
        unopened = [name for name in names if self._opening.is_needed and not self._lanes[name].is_foreign]
        for name in names:
            if name not in unopened:
                self._run(self._group, name)
        if unopened:
            lanes = [self._lanes[name] for name in unopened]
            opening = self._group.create_task(self._opening.open(lanes), name="open lanes")
            self._openings.update(dict.fromkeys(unopened, opening))
            # Also of one that is cancelled before its first step.
            opening.add_done_callback(partial(self._opened, self._group, unopened))

    async def settle(self, names: Collection[str], patience_s: float) -> int:
        """Stop reading in these and wait for what is on its way; how many had to be stopped before it was."""
        for name in names:
            self._lanes[name].drain()
        await _cancelled(_of(self._openings, names))
        late = await _unfinished(_of(self._runs, names), patience_s)
        if late:
            self._withdraw(names)
            late = await _unfinished(late, self._policy.withdrawn_s)
        await _cancelled(late)
        return len(late)

    async def stop(self, names: Collection[str]) -> None:
        """Stop these where they are."""
        await _cancelled(_of(self._openings, names) | _of(self._runs, names))

    async def restart(self, name: str) -> None:
        """Start a lane anew that has ended by itself."""
        if name in self._runs:
            # It may have ended before its first step, with nobody having noticed yet.
            await asyncio.wait([self._runs[name]])
        self.forget(name)
        self.start([name])

    def forget(self, name: str) -> None:
        """A lane that was settled or stopped is not among the started any more."""
        self._runs.pop(name, None)

    def _opened(self, group: asyncio.TaskGroup, names: Collection[str], opening: asyncio.Task[None]) -> None:
        for name in names:
            del self._openings[name]
        if not opening.cancelled() and opening.exception() is None:
            for name in names:
                self._run(group, name)

    def _run(self, group: asyncio.TaskGroup, name: str) -> None:
        self._runs[name] = group.create_task(self._live(self._lanes[name]), name=f"lane {name}")

    async def _live(self, lane: Lane) -> None:
        await lane.run()
        self._ended(lane)


def _of(tasks: Mapping[str, asyncio.Task[None]], names: Collection[str]) -> set[asyncio.Task[None]]:
    return {tasks[name] for name in names if name in tasks}


async def _unfinished(tasks: Collection[asyncio.Task[None]], patience_s: float) -> Collection[asyncio.Task[None]]:
    if not tasks:
        return ()
    _, late = await asyncio.wait(tasks, timeout=patience_s)
    return late


async def _cancelled(tasks: Collection[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
