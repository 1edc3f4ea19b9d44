"""What an operator can tell a single lane of a running mirror to do."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Never

import structlog

from bridge.engine.lane import Lane
from bridge.engine.passing import OrderError, Passed, UnknownLaneError
from bridge.engine.rejection import RejectedError
from bridge.engine.status import DONE, ENDED, LaneState
from bridge.engine.surroundings import Surroundings
from connectors.base import ConnectorError, End, GapError, Position

log = structlog.get_logger(__name__)

_SETTLED_S = 15.0
"""How long an answer waits for what is on its way into the sink."""
_KEPT_S = 10.0
"""How long it waits until the order is stored."""
_LOOKED_UP_S = 15.0
"""How long it waits until the sink has told what it takes."""
_LOOK_S = 0.02

_SET = "kmbridge checkpoints set moves a stopped mirror"


@dataclass(frozen=True, slots=True)
class Carried:
    """What became of an order. Positions are where the lane stood, and where it goes on behind."""

    state: LaneState
    before: Position | None
    after: Position | None
    passed: Passed | None = None
    """What was skipped."""
    is_kept: bool = True
    """Whether it is stored, so that a restart knows it; else it will be as soon as checkpoints can be saved."""


class Orders:
    """Carries out orders to the lanes here, beside them, at once: an answer tells how the lane is by then.

    Each is logged with who gave it and where the lane stood. Raises ``OrderError`` for what cannot be done.
    """

    def __init__(
        self,
        lanes: Mapping[str, Lane],
        around: Surroundings,
        restart: Callable[[Lane], Awaitable[None]],
        is_ending: Callable[[], bool],
    ) -> None:
        """``lanes`` is looked at anew at each call. ``restart`` starts a lane that has ended. No order is taken once
        ``is_ending``: what a lane has failed by is what the whole fails by then.
        """
        self._lanes = lanes
        self._around = around
        self._restart = restart
        self._is_ending = is_ending

    async def pause(self, name: str, who: str) -> Carried:
        """Stop reading, and settle what is on its way; a pause outlasts a restart and a hand-over.

        The lane keeps its slot and its checkpoint. Where the sink does not answer, what is on its way is settled later.
        """
        lane = self._lane("pause", name)
        if lane.progress.paused_ms is not None:
            self._refuse("pause", lane, "it is paused already")
        if lane.state in ENDED:
            self._refuse("pause", lane, "it reads nothing that could be paused")
        before = lane.progress.place.position
        lane.pause()
        log.warning("lane paused", partition=name, by=who, position=before)
        await self._until(lane, lambda: lane.progress.in_flight == 0 and lane.is_at_rest, _SETTLED_S)
        return await self._carried(lane, before)

    async def resume(self, name: str, who: str) -> Carried:
        """Let a paused lane go on strictly after where it stands."""
        lane = self._lane("resume", name)
        if lane.progress.paused_ms is None:
            self._refuse("resume", lane, "it is not paused")
        before = lane.progress.place.position
        lane.unpause()
        log.warning("lane resumed", partition=name, by=who, position=before)
        return await self._carried(lane, before)

    async def retry(self, name: str, who: str) -> Carried:
        """Let a lane that failed, or waits for its next attempt, try again at once from where it stands.

        What refused its records is looked up anew: limits of the sink that were raised, schemas that were registered.
        """
        lane = self._lane("retry", name)
        shown, error = lane.shown()
        if shown not in (LaneState.FAILED, LaneState.HELD, LaneState.RETRYING):
            self._refuse("retry", lane, "there is no fault to try again after")
        if lane.is_foreign or (isinstance(error, GapError) and error.resume == lane.progress.place):
            # Whoever reads again from there is taken to accept it.
            self._refuse("retry", lane, "trying again would accept what it stopped at", "kmbridge lane skip accepts it")
        before = lane.progress.place.position
        log.warning("lane tries again", partition=name, by=who, position=before, error=str(error))
        if self._around.transform is not None:
            self._around.transform.look_again()
        if lane.state is LaneState.FAILED:
            await self._look_again(lane)
            await self._start_again(lane)
        else:
            lane.hurry()
        return Carried(lane.shown()[0], before, before)

    async def _look_again(self, lane: Lane) -> None:
        """What the sink refused it may take now, and so may the dead letter."""
        name, dead_letter = lane.partition.id, self._around.dead_letter
        try:
            async with asyncio.timeout(_LOOKED_UP_S):
                await self._around.destination.look_again(name)
                if dead_letter is not None:
                    await dead_letter.look_again(name)
        except (ConnectorError, TimeoutError) as error:
            cause = str(error) or f"no answer within {_LOOKED_UP_S:g} s"
            raise OrderError(f"retry lane {name}", f"what the sink takes is not known: {cause}", "try again") from error

    async def _start_again(self, lane: Lane) -> None:
        # Another order may have done it while this one waited.
        if lane.state is LaneState.FAILED:
            lane.revive()
            await self._restart(lane)

    async def skip(self, name: str, who: str, end: End | None) -> Carried:
        """Let a lane pass the gap or the record that it stopped at, or everything up to ``end``.

        What is passed is lost to the sink by the operator's word: it is logged, counted and kept in the checkpoint.
        """
        lane = self._lane("skip", name)
        before, error = lane.progress.place.position, lane.error
        failure = error if lane.state is LaneState.FAILED else None
        if isinstance(failure, GapError):
            passed = await self._gap(lane, failure, who, end)
        elif end is not None:
            passed = await self._up_to(lane, who, end)
        elif isinstance(failure, RejectedError):
            passed = await self._record(lane, failure, who)
        else:
            self._refuse("skip", lane, "it has not stopped at a gap or at a record", "--until says how far to skip")
        return await self._carried(lane, before, passed)

    async def _gap(self, lane: Lane, gap: GapError, who: str, end: End | None) -> Passed:
        if end is not None:
            self._refuse("skip", lane, "it has stopped at a gap", "skip that first, without --until")
        behind = lane.progress.place.position if gap.resume is None else gap.resume.position
        passed = Passed(gap.lost_from, gap.lost_to, None, f"skipped by {who}: {gap.cause}", behind)
        lane.accept(gap, passed.cause)
        _tell(lane, passed, who)
        await self._restart(lane)
        return passed

    async def _record(self, lane: Lane, rejected: RejectedError, who: str) -> Passed:
        at = rejected.position
        passed = Passed(at, at, 1, f"skipped by {who}: {rejected.cause}", at)
        lane.leave_out(passed)
        _tell(lane, passed, who)
        await self._restart(lane)
        return passed

    async def _up_to(self, lane: Lane, who: str, end: End) -> Passed:
        has_begun = lane.is_at_work or lane.state is not LaneState.WAITING
        if not has_begun or lane.state in DONE:
            self._refuse("skip", lane, "it has not begun to read, or has nothing more to read")
        answer = lane.pass_over(end, f"skipped by {who}")
        await self._start_again(lane)
        await self._until(lane, answer.done, float("inf"))
        try:
            passed = await answer
        except ConnectorError as error:
            raise OrderError(f"skip in {lane.partition.id}", f"it cannot be read: {error}", _SET) from error
        _tell(lane, passed, who)
        return passed

    def check(self, action: str, name: str) -> None:
        """Raises ``UnknownLaneError`` where there is no lane of the partition ``name`` here."""
        if name not in self._lanes:
            raise UnknownLaneError(
                f"{action} lane {name}", "no lane of that partition is at work here", "see kmbridge status"
            )

    def _lane(self, action: str, name: str) -> Lane:
        self.check(action, name)
        if self._is_ending():
            raise OrderError(f"{action} lane {name}", "the mirror is ending", "say it again when it was started again")
        return self._lanes[name]

    def _refuse(self, action: str, lane: Lane, cause: str, hint: str = "") -> Never:
        state, error = lane.shown()
        stands = f"the lane is {state.value}" + ("" if error is None else f" ({error})")
        raise OrderError(f"{action} lane {lane.partition.id}", f"{cause}: {stands}", hint)

    async def _carried(self, lane: Lane, before: Position | None, passed: Passed | None = None) -> Carried:
        """Once it is stored, if that comes soon."""
        after = lane.progress.place.position if passed is None else passed.behind
        is_kept = await self._until(lane, lane.progress.is_kept, _KEPT_S)
        return Carried(lane.shown()[0], before, after, passed, is_kept)

    async def _until(self, lane: Lane, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait for ``condition``, so long; whether it came true. Raises ``OrderError`` where the lane is given up."""
        clock, name = self._around.clock, lane.partition.id
        deadline_s = clock.monotonic() + seconds
        while not condition():
            if self._lanes.get(name) is not lane:
                raise OrderError(
                    f"tell lane {name}", "it was handed over meanwhile", "see kmbridge status, and say it again"
                )
            if clock.monotonic() >= deadline_s:
                return False
            await clock.sleep(_LOOK_S)
        return True


def _tell(lane: Lane, passed: Passed, who: str) -> None:
    log.error(
        "records skipped by an operator",
        partition=lane.partition.id,
        by=who,
        lost_from=passed.lost_from,
        lost_to=passed.lost_to,
        records=passed.records,
        cause=passed.cause,
    )
