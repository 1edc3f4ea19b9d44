"""A mirror: every partition of a source a lane, one sink, one store, until told to stop."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from random import Random

import structlog

from bridge.coordination.base import Coordinator
from bridge.engine.bounded import BoundedSource
from bridge.engine.budget import ByteBudget
from bridge.engine.dead_letter import DeadLetter
from bridge.engine.delivery import Delivery
from bridge.engine.lanes import Lanes
from bridge.engine.orders import Orders
from bridge.engine.policy import Policy
from bridge.engine.retry import Backoff
from bridge.engine.status import LaneState, LaneStatus, MirrorState, MirrorStatus
from bridge.engine.surroundings import Surroundings
from bridge.engine.totals import Totals
from bridge.engine.tracing import NO_TRACER, Tracer
from bridge.groups import first
from checkpoints.base import CheckpointError, CheckpointStore
from connectors.base import Clock, ConnectorError, Sink, Source
from connectors.transform import Transform

log = structlog.get_logger(__name__)

_NAMED_FAILURES = 5
_EXPELLED = "the group of its workers did not hear of this one for a session: it joins again once the brokers answer"
_REMIND_S = 30.0


class MirrorFailedError(Exception):
    """No lane can go on; the message holds each failed lane's error."""


@dataclass(frozen=True, slots=True)
class Ends:
    """What a mirror connects. ``dead_letter`` is one beside the sink, which may have its own."""

    source: Source
    sink: Sink
    dead_letter: Sink | None = None
    transform: Transform | None = None
    """What is made of records on their way from one to the other."""


class Mirror:
    """Runs the lanes of one source into one sink, those of them that this worker owns.

    A bounded one has to own all of what has a bound, and fails as soon as another worker gets some of it.

    Ends, store and coordinator are entered by the caller.
    """

    def __init__(
        self,
        ends: Ends,
        store: CheckpointStore,
        coordinator: Coordinator,
        policy: Policy,
        *,
        clock: Clock,
        random: Random,
        tracer: Tracer = NO_TRACER,
    ) -> None:
        self.state = MirrorState.STARTING
        self.has_worked = False
        """Whether it has run at any time, whatever it does now."""
        self.is_complete = False
        """Whether a bounded mirror has ended because nothing of what has a bound is left."""
        self._source = ends.source
        self._coordinator = coordinator
        self._clock = clock
        self._policy = policy
        self._totals = Totals()
        self._budget = ByteBudget(policy.memory)
        self._delivery = Delivery(ends.sink, policy, clock, Backoff(random), tracer)
        around = Surroundings(
            source=BoundedSource(ends.source),
            destination=ends.sink,
            delivery=self._delivery,
            dead_letter=None
            if ends.dead_letter is None
            else DeadLetter(ends.dead_letter, Backoff(random), policy.hold_s),
            budget=self._budget,
            policy=policy,
            totals=self._totals,
            clock=clock,
            tracer=tracer,
            transform=ends.transform,
        )
        self._lanes = Lanes(store, around, random, self._changed)
        self._drain = asyncio.Event()

    async def run(self) -> None:
        """Mirror until ``drain``, or as far as policy says; then settle what is on its way, save the checkpoints and
        return.

        Raises ``MirrorFailedError`` when no lane can go on, ``CheckpointError`` when checkpoints cannot be kept, and
        what the source raises when its partitions cannot be listed. Cancelling it leaves at once, and saves nothing.
        """
        try:
            await self._run()
        except ExceptionGroup as errors:
            self._give_up(first(errors))
            raise first(errors) from errors
        except (CheckpointError, ConnectorError) as error:
            self._give_up(error)
            raise
        if self._lanes.is_stuck():
            self.state = MirrorState.FAILED
            raise MirrorFailedError(self._failures())
        self.state = MirrorState.STOPPED

    def _give_up(self, error: Exception) -> None:
        """Failed; where checkpoints are lost, the log has what is known of the positions."""
        self.state = MirrorState.FAILED
        if isinstance(error, CheckpointError) and not error.retriable:
            for name, lane in self._lanes.lanes.items():
                log.error("where the lane stood", partition=name, position=lane.progress.place.position)

    def drain(self) -> None:
        """Stop reading, and let ``run`` return once what was read is durable and saved. Safe to call twice."""
        if self.state in (MirrorState.STARTING, MirrorState.RUNNING):
            self.state = MirrorState.DRAINING
        self._drain.set()

    def confine(self, memory: int) -> None:
        """At most ``memory`` bytes of records are on their way from now on, as ``Policy.memory`` said until now."""
        self._budget.confine(memory)
        self._delivery.confine(memory)

    @property
    def orders(self) -> Orders:
        """What its lanes can be told while it runs."""
        return self._lanes.orders

    @property
    def share(self) -> float:
        """How much of what is left to read is this worker's, above 0 and up to 1."""
        return self._lanes.share

    def status(self) -> MirrorStatus:
        now_s = self._clock.monotonic()
        totals = self._totals
        # It neither owns work nor waits for some: nothing is mirrored here, and nobody knows whether it is elsewhere.
        is_member = self._coordinator.is_member and self._lanes.is_assigned
        is_expelled = self.state is MirrorState.RUNNING and not is_member
        return MirrorStatus(
            state=MirrorState.STARTING if is_expelled else self.state,
            error=_EXPELLED if is_expelled else None,
            lanes=tuple(map(self._shown, self._lanes.statuses())),
            records_read=totals.records_read,
            bytes_read=totals.bytes_read,
            records_written=totals.records_written,
            bytes_written=totals.bytes_written,
            records_per_second=totals.rate.per_second(now_s, totals.records_written),
            skipped=dict(totals.skipped),
            dead_letters=dict(totals.dead_letters),
            gaps=totals.gaps,
            buffered_bytes=self._budget.used,
            latency=totals.latency.snapshot(),
            buffer_limit_bytes=self._budget.limit,
        )

    def _shown(self, status: LaneStatus) -> LaneStatus:
        """A lane without trouble of its own shows that no checkpoints can be saved, if so."""
        trouble = self._lanes.ledger.trouble
        return status if trouble is None or status.error else replace(status, error=str(trouble))

    async def _run(self) -> None:
        lanes, delivery = self._lanes, self._delivery
        async with asyncio.TaskGroup() as tasks:
            lanes.run_in(tasks)
            discovery = tasks.create_task(self._discover(), name="discovery")
            ownership = tasks.create_task(self._coordinator.run(lanes), name="ownership")
            others = tasks.create_task(lanes.follow(), name="others")
            commits = tasks.create_task(delivery.run(lanes.ledger, lanes.retake), name="commits")
            watch = tasks.create_task(self._watch(), name="watch")
            end = tasks.create_task(self._end(), name="end")
            await self._drain.wait()
            discovery.cancel()
            others.cancel()
            end.cancel()
            await lanes.drain()
            commits.cancel()
            watch.cancel()
            await asyncio.wait([commits])
            await self._finish()
            # Slots are given up to others to the end: what is saved last must not come after what they save.
            ownership.cancel()

    async def _finish(self) -> None:
        try:
            async with asyncio.timeout(self._policy.drain_s):
                await self._delivery.finish(self._lanes.ledger)
        except TimeoutError:
            raise CheckpointError(
                "save the last checkpoints",
                f"no answer within {self._policy.drain_s:g} s",
                "nothing is lost: what is not stored is mirrored again",
            ) from None

    async def _end(self) -> None:
        """Where the mirror has an end, drain it there."""
        if self._policy.bounded:
            await self._lanes.complete()
            self.is_complete = True
            self.drain()

    async def _discover(self) -> None:
        async with aclosing(self._source.partitions()) as listings:
            async for listing in listings:
                await self._lanes.update(listing)

    def _changed(self) -> None:
        if self.state is MirrorState.STARTING and self._lanes.is_arranged:
            self.state, self.has_worked = MirrorState.RUNNING, True
        if self._lanes.is_stuck():
            self._drain.set()

    def _failures(self) -> str:
        """Each failed lane's error; of many the first, since the log has them all."""
        lanes = self._lanes.lanes
        failed = [f"{name}: {lane.error}" for name, lane in lanes.items() if lane.state is LaneState.FAILED]
        more = len(failed) - _NAMED_FAILURES
        return "; ".join(failed[:_NAMED_FAILURES]) + (f"; and {more} more, see the log" if more > 0 else "")

    async def _watch(self) -> None:
        """Once a second: sample the rates, and say when the sink stops answering and when it does again."""
        told_s: float | None = None
        while True:
            now_s = self._clock.monotonic()
            stall = self._delivery.stall
            if stall is not None and (told_s is None or now_s - told_s >= _REMIND_S):
                told_s = now_s
                log.warning("the sink does not answer", error=str(stall))
            elif stall is None and told_s is not None:
                told_s = None
                log.warning("the sink answers again")
            self._totals.rate.sample(now_s, self._totals.records_written)
            for lane in self._lanes.lanes.values():
                lane.progress.rate.sample(now_s, lane.progress.records_written)
            await self._clock.sleep(1.0)
