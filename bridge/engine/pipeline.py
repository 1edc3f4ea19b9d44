"""What of one lane is on its way: read ahead, submitted, settled in the order of reading."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

import structlog

from bridge.engine.condition import Condition
from bridge.engine.crossing import Crossing, until
from bridge.engine.dead_letter import letter_of
from bridge.engine.making import Making
from bridge.engine.policy import OnError
from bridge.engine.progress import Progress
from bridge.engine.rejection import RejectedError, stop_at, stop_unburied
from bridge.engine.retry import Backoff
from bridge.engine.sieve import Sieve
from bridge.engine.status import LaneState
from bridge.engine.surroundings import Surroundings
from bridge.engine.tracing import BatchTrace
from connectors.base import Batch, ConnectorError, End, Outcome, Partition, Place, Rejected

log = structlog.get_logger(__name__)

_IN_TROUBLE = (LaneState.RETRYING, LaneState.HELD)


@dataclass(frozen=True, slots=True)
class _Submission:
    """What is on its way: ``sent`` is what was made of a batch, without the records that are refused already."""

    crossing: Crossing
    sent: Batch
    answer: asyncio.Future[Outcome]
    trace: BatchTrace
    stop: RejectedError | None = None
    """The lane ends behind this submission."""


class Pipeline:
    """Reading runs ahead of the sink as far as the budget allows.

    Outcomes are settled in the order of reading, so the progress covers a contiguous prefix at any moment.
    """

    def __init__(
        self,
        partition: Partition,
        progress: Progress,
        sieve: Sieve,
        around: Surroundings,
        condition: Condition,
        backoff: Backoff,
    ) -> None:
        """``condition`` and ``backoff`` are the lane's: whatever settles shows that the trouble is over."""
        self._partition = partition
        self._progress = progress
        self._sieve = sieve
        self._making = Making(sieve, around)
        self._around = around
        self._condition = condition
        self._backoff = backoff
        self._reading: asyncio.Task[bool] | None = None
        self._hears_source = True
        """Not so from a failed read until it hands something out, even that there is nothing new."""

    @property
    def stall(self) -> ConnectorError | None:
        """Why nothing is submitted, where that takes long and the sink is not waited for."""
        return self._making.stall

    def stop(self) -> None:
        """Read no more; ``run`` returns when all that was submitted is settled."""
        if self._reading is not None:
            self._reading.cancel()

    async def run(self) -> bool:
        """Read from where the progress stands, and submit; whether the partition itself has ended.

        Returns before that at the end of the bound and after ``stop``. Raises what either side raises, and
        ``RejectedError`` at a record behind which policy does not go; what was submitted behind it is given up then.
        """
        submitted = asyncio.Queue[_Submission | None]()
        self._reading = reading = asyncio.create_task(self._read(submitted), name=f"read {self._partition.id}")
        # Also of one that is cancelled before its first step.
        reading.add_done_callback(lambda _: submitted.put_nowait(None))
        try:
            while await self._settle_next(submitted):
                pass
            await asyncio.wait([reading])
        finally:
            reading.cancel()
            try:
                await asyncio.gather(reading, return_exceptions=True)
            finally:
                # Whoever stops the lane may do so while it goes back already.
                self._give_up(submitted)
        return not reading.cancelled() and reading.result()

    async def _read(self, submitted: asyncio.Queue[_Submission | None]) -> bool:
        """Whether the partition itself has ended."""
        around = self._around
        epoch = await around.delivery.ready()
        if self._hears_source or self._condition.state not in _IN_TROUBLE:
            self._condition.state = LaneState.RUNNING
        place = self._progress.place
        self._set_end()
        trace = around.tracer.batch(self._partition.id)
        async with aclosing(self._heard(place)) as batches:
            async for batch in batches:
                trace.read(batch)
                submission = await self._submit(epoch, batch, place, trace)
                submitted.put_nowait(submission)
                if submission.stop is not None or (batch.is_last and self._progress.bound is not None):
                    return False
                place = batch.place
                # While the next one is awaited, nothing here may keep the memory of one that is settled.
                del batch, submission
                trace = around.tracer.batch(self._partition.id)
        return True

    async def _heard(self, place: Place) -> AsyncGenerator[Batch, None]:
        """What the source hands out behind ``place``. Trouble with it is over then, not when it is asked again."""
        async with aclosing(self._around.source.read(self._partition, place, self._around.budget)) as batches:
            try:
                async for batch in batches:
                    if not self._hears_source:
                        self._hears_source = True
                        self._condition.state = LaneState.RUNNING
                    yield batch
                    # Nothing here may keep the memory of one that is settled.
                    del batch
            except ConnectorError:
                self._hears_source = False
                raise

    def _set_end(self) -> None:
        """Let reading end where the bound does, as long as that is not reached."""
        bound, ends = self._progress.bound, self._around.source.bounds
        if bound is None or bound.is_reached:
            ends.pop(self._partition.id, None)
        else:
            ends[self._partition.id] = End(bound.end, bound.end_ms)

    async def _submit(self, epoch: int, batch: Batch, before: Place, trace: BatchTrace) -> _Submission:
        """Hand ``batch``, which follows ``before``, to the sink, less what the sink says it cannot take."""
        around = self._around
        try:
            await around.delivery.room(self._partition.id)
            crossing = await self._making.made_of(batch)
            crossing = crossing.refusing(around.delivery.inspect(crossing.made))
            stop = await self._stop(epoch, crossing) if crossing.refused else None
            if stop is not None:
                crossing = crossing.until(crossing.read.positions.index(stop.position), before)
            made, sent = crossing.made, crossing.sent()
            around.totals.read(crossing.read, made.skipped)
            submitted_ms = around.destination.now_ms()
            answer = self._delivered(epoch, crossing, sent)
        except BaseException as error:
            batch.release()
            trace.failed(repr(error))
            raise
        trace.submitted()
        self._progress.read(made, submitted_ms, len(made) - len(sent), crossing.records)
        if around.policy.on_error is OnError.STOP:
            # What was read is wanted for letters alone.
            crossing = Crossing(made, made)
        return _Submission(crossing, sent, answer, trace, stop)

    async def _settle_next(self, submitted: asyncio.Queue[_Submission | None]) -> bool:
        """Settle the oldest submission; False when there are no more."""
        submission = await submitted.get()
        if submission is None:
            return False
        try:
            await self._settle(submission)
        except BaseException as error:
            submission.trace.failed(repr(error))
            raise
        else:
            submission.trace.settled()
        finally:
            submission.crossing.read.release()
        return True

    async def _settle(self, submission: _Submission) -> None:
        """Wait for the outcome and move the progress over it."""
        outcome = await submission.answer
        crossing, sent = submission.crossing, submission.sent
        self._count_buried(crossing.refused)
        settled, rejected, stop = crossing.made, outcome.rejected, submission.stop
        if rejected:
            refused = crossing.as_read(sent, rejected)
            found = await self._stop_apart(replace(crossing, refused=refused))
            if found is not None:
                stop, end = found, sent.positions.index(found.position)
                settled = sent = until(sent, end, self._progress.place)
                rejected = tuple(each for each in rejected if each.index < end)
                first_left = crossing.read.positions.index(found.position)
                refused = tuple(each for each in refused if each.index < first_left)
            self._count_buried(refused)
            sent = sent.without(rejected)
        self._around.totals.written(sent, self._around.clock.now_ms())
        self._advance(settled, len(sent))
        if stop is not None:
            raise stop

    def _advance(self, batch: Batch, written: int) -> None:
        self._progress.settle(batch, written)
        self._sieve.settle(batch)
        if self._sieve.landed is None:
            self._progress.inherited_ms = None
        self._condition.error = None
        self._backoff.reset()
        if batch.is_last and self._progress.bound is not None:
            self._reach()

    def _delivered(self, epoch: int, crossing: Crossing, sent: Batch) -> asyncio.Future[Outcome]:
        """Submit ``sent``; where the sink has a dead letter of its own, what is refused is buried together with it."""
        delivery, refused = self._around.delivery, crossing.refused
        buried = delivery.bury(epoch, self._partition.id, self._letter(crossing, refused)) if refused else None
        if buried is not None and not len(sent):
            return buried
        return delivery.submit(epoch, self._partition.id, sent)

    async def _stop(self, epoch: int, crossing: Crossing) -> RejectedError | None:
        """At which of what is refused policy says to stop, if at any.

        What is refused before that one is buried, or can be in the sink's own dead letter.
        """
        if self._around.policy.on_error is not OnError.STOP:
            letter = self._letter(crossing, crossing.refused)
            unfit = self._around.delivery.inspect_letter(epoch, letter)
            if unfit is not None:
                return _unburied(crossing, unfit)
        return await self._stop_apart(crossing)

    async def _stop_apart(self, crossing: Crossing) -> RejectedError | None:
        """As ``_stop``, where the sink has no dead letter of its own."""
        dead_letter = self._around.dead_letter
        if dead_letter is None or self._around.policy.on_error is OnError.STOP:
            return stop_at(crossing.read, crossing.refused[0])
        letter, stop = self._letter(crossing, crossing.refused), None
        while len(letter) and (unfit := await dead_letter.bury(letter, self._hold)):
            stop = _unburied(crossing, unfit)
            letter = letter.pick(range(unfit[0].index))
        self._condition.state = LaneState.RUNNING
        return stop

    def _letter(self, crossing: Crossing, rejected: tuple[Rejected, ...]) -> Batch:
        """The records as they were read: redriven, they are transformed again, once."""
        return letter_of(self._making.named(crossing.read.pick([each.index for each in rejected])), rejected)

    def _count_buried(self, rejected: tuple[Rejected, ...]) -> None:
        if rejected:
            self._around.totals.dead_letters.update(each.reason for each in rejected)
            count, first = len(rejected), rejected[0].detail
            log.warning("records dead-lettered", partition=self._partition.id, count=count, first=first)

    def _hold(self, error: ConnectorError) -> None:
        self._condition.state = LaneState.HELD
        self._condition.error = error
        log.error("dead letter not taken, trying again", partition=self._partition.id, error=str(error))

    def _give_up(self, submitted: asyncio.Queue[_Submission | None]) -> None:
        """What was submitted behind a fault is read again later; the sink knows that it is given up."""
        while not submitted.empty():
            submission = submitted.get_nowait()
            if submission is not None:
                submission.crossing.read.release()
                submission.trace.failed("given up behind a fault")
        self._progress.rewind()
        self._sieve.rewind(self._progress.place)

    def _reach(self) -> None:
        self._progress.reach()
        if self._around.policy.bounded:
            self._condition.state = LaneState.COMPLETE
        log.info("end of the range reached", partition=self._partition.id, position=self._progress.place.position)


def _unburied(crossing: Crossing, unfit: tuple[Rejected, ...]) -> RejectedError | None:
    """``unfit`` are those letters of what is refused that no dead letter takes."""
    return stop_unburied(crossing.read, crossing.refused[unfit[0].index], unfit[0]) if unfit else None
