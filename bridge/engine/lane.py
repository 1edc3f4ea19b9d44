"""One source partition's path through the engine: run, told what to do, and stopped."""

import asyncio
from dataclasses import replace

import structlog

from bridge.engine.condition import Condition
from bridge.engine.nap import Nap
from bridge.engine.passing import OPERATOR, OrderError, Passed, Passing, passed_over
from bridge.engine.pipeline import Pipeline
from bridge.engine.policy import OnGap
from bridge.engine.progress import Progress
from bridge.engine.retry import Backoff
from bridge.engine.sieve import Landed, Sieve
from bridge.engine.status import ENDED, HALTED, LaneState, LaneStatus
from bridge.engine.surroundings import Surroundings
from checkpoints.base import Gap
from connectors.base import (
    ConnectorError,
    End,
    GapError,
    Partition,
    Place,
    RefusedError,
)

log = structlog.get_logger(__name__)

_LOOK_S = 0.02


class Lane:
    """Runs until its partition is finished, the mirror drains, or something stops it for good.

    Where the mirror is bounded it is complete at the end of its bound; elsewhere it marks the end and goes on.
    After any fault it reads again from where its progress stands.
    """

    def __init__(
        self, partition: Partition, progress: Progress, around: Surroundings, backoff: Backoff, gap: GapError | None
    ) -> None:
        """``gap`` is one that is known before the first read: the checkpoint belongs to other ends."""
        self.partition = partition
        self.progress = progress
        self.sieve = Sieve(around.source, around.destination, around.policy.on_loop)
        self._condition = Condition()
        self._pipeline = Pipeline(partition, progress, self.sieve, around, self._condition, backoff)
        self._around = around
        self._backoff = backoff
        self._gap = gap
        self._made_ms = around.clock.now_ms()
        self._draining = False
        self._reading: asyncio.Task[tuple[Place, Passed]] | None = None
        """What is passed over."""
        self._nap = Nap()
        self._passing: Passing | None = None
        self._has_skipped = False
        """Whether it goes on behind what was skipped, once that is stored."""
        self._is_called = False
        """Whether something was said to the lane since it looked last."""
        self.is_at_rest = True
        """Whether nothing is being read, and all that was is settled or given up."""
        self.is_at_work = False
        """Whether ``run`` has begun and not returned, be it only to wait while the lane is paused."""

    @property
    def state(self) -> LaneState:
        return self._condition.state

    @property
    def error(self) -> ConnectorError | None:
        """The trouble it is in, or was stopped by."""
        return self._condition.error

    @property
    def unsettled_ms(self) -> int | None:
        """Since when a former owner may have written what it has not stored, as it stands in the checkpoint.

        None where there is nothing of the kind, or the checkpoint is not of these ends.
        """
        stored = self.progress.stored
        return None if stored is None or self.is_foreign else stored.unsettled_ms

    @property
    def is_foreign(self) -> bool:
        """Whether its checkpoint is of other ends, and that loss not accepted: it must stay in the store as it is."""
        return self._gap is not None

    def resume(self) -> None:
        """Stop at a gap that is known before the first read, or accept the loss. Call it before anything is stored."""
        if self._gap is None or self.state is LaneState.FAILED:
            return
        self._pass(self._gap)
        if self._around.policy.on_gap is OnGap.CONTINUE:
            self._own()

    def _own(self) -> None:
        """The loss that a checkpoint of other ends means is accepted: from now on it is one of these."""
        if self._gap is not None:
            self._gap = None
            # What is said there of a former owner is not said of these.
            self.progress.stored = self.progress.inherited_ms = None

    def inherit(self, landed: Landed | None) -> None:
        """What has ``landed`` is in the sink already; None: nothing has, or nobody can tell. Call it before ``run``."""
        self.sieve.landed = landed
        self.progress.inherited_ms = None if landed is None else landed.since_ms

    async def run(self) -> None:
        """Mirror the partition from where ``resume`` left it.

        Never raises a ``ConnectorError``: ``state`` and ``error`` tell what happened.
        """
        self.is_at_work = True
        try:
            await self._run()
        finally:
            self.is_at_work = False
            self._refuse_passing("the lane has ended")

    async def _run(self) -> None:
        while not self._draining and self.state not in ENDED:
            self._is_called = False
            try:
                await self._go_on()
            except GapError as gap:
                self._pass(gap)
            except RefusedError as error:
                await self._wait(error, LaneState.HELD, self._around.policy.hold_s)
            except ConnectorError as error:
                if error.retriable:
                    await self._wait(error, LaneState.RETRYING, self._backoff.next())
                else:
                    self._fail(error)
        self.progress.is_ended = True

    def drain(self) -> None:
        """Read no more; ``run`` returns when all that was submitted is settled."""
        self._draining = True
        self._interrupt()

    def pause(self) -> None:
        """Read no more until ``unpause``; what was submitted is settled meanwhile."""
        self.progress.paused_ms = self._around.clock.now_ms()
        self._interrupt()

    def unpause(self) -> None:
        """Go on strictly after where it stands."""
        self.progress.paused_ms = None
        self._nap.cut()

    def hurry(self) -> None:
        """Make the next attempt at once, if one is waited for."""
        self._nap.cut()
        self._around.delivery.hurry()
        if self._around.dead_letter is not None:
            self._around.dead_letter.hurry()

    def pass_over(self, end: End, cause: str) -> asyncio.Future[Passed]:
        """Let the lane pass what lies between where it stands and ``end``, instead of mirroring it.

        The answer tells what that was, or raises ``OrderError``, or ``ConnectorError`` where it could not be read: then
        the lane stands where it stood. A lane that has ended does it when it is started again.
        """
        self._refuse_passing("another end was given")
        self._passing = passing = Passing(end, cause)
        self._interrupt()
        return passing.answer

    def accept(self, gap: GapError, cause: str) -> None:
        """Go on behind ``gap``, at which the lane has stopped. It is to be started again then, unless it is finished.

        Also of a gap at which it stopped before it was started.
        """
        self.revive()
        self._go_behind(gap, cause)
        self._own()

    def leave_out(self, passed: Passed) -> None:
        """Go on behind the record at which the lane has stopped. It is to be started again then."""
        self.revive()
        self._leave(passed, Place(passed.behind, self.progress.place.watermark_ms))

    def revive(self) -> None:
        """A lane that failed is as one that waits for its start."""
        self._condition.state = LaneState.WAITING
        self._condition.error = None
        self.progress.is_ended = False

    def status(self, now_s: float, now_ms: int) -> LaneStatus:
        """This moment: ``now_s`` by the monotonic clock, ``now_ms`` by the wall clock."""
        progress, retention_ms = self.progress, self._around.source.retention_ms
        state, error = self.shown()
        watermark_ms = progress.place.watermark_ms
        lag_ms = progress.lag_ms(now_ms)
        return LaneStatus(
            self.partition.id,
            state,
            progress.place.position,
            # What was last read of a lane that stands still tells less and less of the tip.
            lag_ms if state not in HALTED else max(lag_ms, now_ms - self._complete_ms()),
            progress.lag_records,
            progress.records_written,
            progress.rate.per_second(now_s, progress.records_written),
            progress.checkpoint_age_ms(now_ms),
            str(error) if error is not None else None,
            watermark_ms,
            None if watermark_ms is None or retention_ms is None else watermark_ms + retention_ms,
            progress.bound_at(progress.place),
        )

    def shown(self) -> tuple[LaneState, ConnectorError | None]:
        """The lane's own trouble, or the sink's where the lane waits for that."""
        if self.progress.paused_ms is not None and self.state not in ENDED:
            return LaneState.PAUSED, self.error
        trouble = self._around.delivery.trouble
        if self.state not in (LaneState.RUNNING, LaneState.RETRYING):
            return self.state, self.error
        if trouble is None:
            stall = self._around.delivery.stall if self.progress.in_flight > 0 else None
            stall = stall or self._pipeline.stall
            return (self.state, self.error) if stall is None else (LaneState.RETRYING, self.error or stall)
        return LaneState.HELD if isinstance(trouble, RefusedError) else LaneState.RETRYING, trouble

    def _complete_ms(self) -> int:
        """Since when what arrives may not be durable; of a lane that has not come to know it, since when it stands."""
        watermark_ms, paused_ms = self.progress.place.watermark_ms, self.progress.paused_ms
        return min(self._made_ms, paused_ms or self._made_ms) if watermark_ms is None else watermark_ms

    def _interrupt(self) -> None:
        """Let ``run`` look anew at what it is to do."""
        self._is_called = True
        self._nap.cut()
        self._pipeline.stop()
        if self._reading is not None:
            self._reading.cancel()

    async def _go_on(self) -> None:
        """Do what is due, until that is over or something else may be."""
        if self._passing is not None:
            await self._pass_over(self._passing)
        elif self.progress.paused_ms is not None:
            await self._nap.take()
        elif self._has_skipped and not self.progress.is_kept():
            # What comes behind must not be in the sink while a restart would begin before.
            await self._nap.take(_LOOK_S)
        else:
            self._has_skipped = False
            self.is_at_rest = False
            try:
                has_ended = await self._pipeline.run()
            finally:
                self.is_at_rest = True
            if has_ended:
                self._finish()

    async def _pass_over(self, passing: Passing) -> None:
        """Nothing is submitted: only the place moves, once all is read, and the checkpoint tells what lies before."""
        around, place = self._around, self.progress.place
        way = passed_over(around.source.inner, self.partition, place, passing.end, around.budget, passing.cause)
        self._reading = reading = asyncio.create_task(way, name=f"pass over {self.partition.id}")
        try:
            await asyncio.wait([reading])
            if not reading.cancelled():
                behind, passed = reading.result()
                self._leave(passed, behind)
                passing.succeed(passed)
        except OrderError as error:
            passing.refuse(error)
        except ConnectorError as error:
            passing.refuse(error)
            raise
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            self._refuse_passing("it was interrupted")

    def _refuse_passing(self, cause: str) -> None:
        passing, self._passing = self._passing, None
        if passing is not None:
            passing.refuse(OrderError(f"skip in {self.partition.id}", cause, "nothing was skipped"))

    def _leave(self, passed: Passed, place: Place) -> None:
        """Go on behind what is not mirrored."""
        progress, totals = self.progress, self._around.totals
        self._has_skipped = True
        totals.gaps += 1
        totals.skipped[OPERATOR] += passed.records or 0
        now_ms = self._around.clock.now_ms()
        progress.gaps += (Gap(passed.lost_from, passed.lost_to, passed.cause, now_ms, passed.records),)
        progress.place = place

    def _pass(self, gap: GapError) -> None:
        """Stop at a gap, or accept the loss and go on behind it."""
        if self._around.policy.on_gap is OnGap.STOP:
            self._fail(gap)
            return
        self._around.totals.gaps += 1
        log.error(
            "records lost, going on behind the gap",
            partition=self.partition.id,
            lost_from=gap.lost_from,
            lost_to=gap.lost_to,
            cause=gap.cause,
        )
        self._go_behind(gap, gap.cause)

    def _go_behind(self, gap: GapError, cause: str) -> None:
        # Behind it the positions of what was skipped before may be those of other records.
        before = tuple(replace(each, records=None) for each in self.progress.gaps)
        self.progress.gaps = (*before, Gap(gap.lost_from, gap.lost_to, cause, self._around.clock.now_ms()))
        if gap.resume is None:
            self._finish()
        else:
            self.progress.place = gap.resume
            # Behind the gap the same position may be that of another record.
            self.sieve.landed = None

    def _finish(self) -> None:
        self.progress.finished = True
        self._condition.state = LaneState.FINISHED
        log.info("partition finished", partition=self.partition.id, position=self.progress.place.position)

    def _fail(self, error: ConnectorError) -> None:
        self._condition.error = error
        self._condition.state = LaneState.FAILED
        if isinstance(error, GapError):
            self._around.totals.gaps += 1
        log.error("lane stopped", partition=self.partition.id, error=str(error))

    async def _wait(self, error: ConnectorError, state: LaneState, seconds: float) -> None:
        """Show the fault and pause before the next attempt; whoever calls the lane ends the pause."""
        self._condition.error = error
        self._condition.state = state
        # What befell the sink is told once, by whoever holds it, and not by every lane; what was withdrawn is no fault.
        is_told = self._draining or self._around.delivery.has_told(error)
        tell = log.debug if is_told else log.warning
        tell("lane waits", partition=self.partition.id, state=state.value, error=str(error), seconds=seconds)
        if not self._is_called:
            await self._nap.take(seconds)
