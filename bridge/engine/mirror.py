"""A mirror: every partition of a source a lane, one sink, one store, until told to stop."""

import asyncio
from dataclasses import replace
from random import Random

import structlog

from bridge.engine.budget import ByteBudget
from bridge.engine.dead_letter import DeadLetter
from bridge.engine.delivery import Delivery
from bridge.engine.identity import of_this_source, other_ends
from bridge.engine.lane import Lane, Surroundings
from bridge.engine.ledger import Ledger
from bridge.engine.lineage import beginning, startable
from bridge.engine.policy import Policy
from bridge.engine.progress import Progress
from bridge.engine.retry import Backoff
from bridge.engine.status import LaneState, LaneStatus, MirrorState, MirrorStatus
from bridge.engine.totals import Totals
from bridge.groups import first
from checkpoints.base import Checkpoint, CheckpointError, CheckpointStore
from connectors.base import Clock, ConnectorError, Partition, Place, Sink, Source

log = structlog.get_logger(__name__)

_NAMED_FAILURES = 5


class MirrorFailedError(Exception):
    """No lane can go on; the message holds each failed lane's error."""


class Mirror:
    """Runs the lanes of one source into one sink. Source, sink, store and dead letter are entered by the caller."""

    def __init__(
        self,
        source: Source,
        sink: Sink,
        store: CheckpointStore,
        policy: Policy,
        *,
        dead_letter: Sink | None,
        clock: Clock,
        random: Random,
    ) -> None:
        self.state = MirrorState.STARTING
        self._source = source
        self._sink = sink
        self._store = store
        self._policy = policy
        self._clock = clock
        self._random = random
        self._totals = Totals()
        self._budget = ByteBudget(policy.memory)
        self._delivery = Delivery(sink, policy, clock, Backoff(random))
        self._dead_letter = (
            None if dead_letter is None else DeadLetter(dead_letter, clock, Backoff(random), policy.hold_s)
        )
        self._lanes: dict[str, Lane] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ledger = Ledger(store, source, sink, self._lanes, policy, clock)
        self._finished: dict[str, Place] = {}
        """Where the partitions stand that were finished before this process began."""
        self._drain = asyncio.Event()

    async def run(self) -> None:
        """Mirror until ``drain``; then settle what is on its way, save the checkpoints and return.

        Raises ``MirrorFailedError`` when no lane can go on, ``CheckpointError`` when checkpoints cannot be kept, and
        what the source raises when its partitions cannot be listed. Cancelling it leaves at once, and saves nothing.
        """
        try:
            await self._run()
        except ExceptionGroup as errors:
            self.state = MirrorState.FAILED
            raise first(errors) from errors
        except (CheckpointError, ConnectorError):
            self.state = MirrorState.FAILED
            raise
        if self._is_stuck():
            self.state = MirrorState.FAILED
            raise MirrorFailedError(self._failures())
        self.state = MirrorState.STOPPED

    def drain(self) -> None:
        """Stop reading, and let ``run`` return once what was read is durable and saved. Safe to call twice."""
        if self.state in (MirrorState.STARTING, MirrorState.RUNNING):
            self.state = MirrorState.DRAINING
        self._drain.set()

    def status(self) -> MirrorStatus:
        now_s, now_ms = self._clock.monotonic(), self._clock.now_ms()
        totals = self._totals
        return MirrorStatus(
            state=self.state,
            lanes=tuple(self._shown(self._lanes[name].status(now_s, now_ms)) for name in sorted(self._lanes)),
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
        )

    def _shown(self, status: LaneStatus) -> LaneStatus:
        """A lane without trouble of its own shows that no checkpoints can be saved, if so."""
        trouble = self._ledger.trouble
        return status if trouble is None or status.error else replace(status, error=str(trouble))

    async def _run(self) -> None:
        ledger = self._ledger
        checkpoints = dict(await self._store.load())
        async with asyncio.TaskGroup() as tasks:
            discovery = tasks.create_task(self._discover(checkpoints, tasks), name="discovery")
            commits = tasks.create_task(self._delivery.run(ledger.keep, ledger.has_moved), name="commits")
            watch = tasks.create_task(self._watch(), name="watch")
            await self._drain.wait()
            discovery.cancel()
            await self._settle_lanes()
            commits.cancel()
            watch.cancel()
        await self._delivery.finish(ledger.store)

    async def _discover(self, checkpoints: dict[str, Checkpoint], tasks: asyncio.TaskGroup) -> None:
        """Make a lane of every partition that exists, and start those whose turn it is."""
        self._finished = {
            name: _place(checkpoint)
            for name, checkpoint in checkpoints.items()
            if checkpoint.finished and of_this_source(checkpoint, self._source)
        }
        async for listing in self._source.partitions():
            if not checkpoints:
                checkpoints.update(await self._ledger.begin(await self._source.start(listing)))
            listed = {partition.id for partition in listing}
            unlisted = (Partition(name) for name in checkpoints if name not in listed)
            for partition in (*listing, *unlisted):
                if partition.id not in self._lanes and partition.id not in self._finished:
                    self._lanes[partition.id] = self._lane(partition, checkpoints.get(partition.id))
            self._start_lanes(tasks)
            if self.state is MirrorState.STARTING:
                self.state = MirrorState.RUNNING

    def _lane(self, partition: Partition, checkpoint: Checkpoint | None) -> Lane:
        progress = Progress(Place())
        gap = None
        if checkpoint is not None:
            progress = Progress(_place(checkpoint), checkpoint, checkpoint.gaps)
            gap = other_ends(partition.id, checkpoint, self._source, self._sink)
        around = Surroundings(
            source=self._source,
            destination=self._sink.address,
            delivery=self._delivery,
            dead_letter=self._dead_letter,
            budget=self._budget,
            policy=self._policy,
            totals=self._totals,
            clock=self._clock,
        )
        return Lane(partition, progress, around, Backoff(self._random), gap)

    def _start_lanes(self, tasks: asyncio.TaskGroup) -> None:
        if self._drain.is_set():
            return
        unfinished = {name for name, lane in self._lanes.items() if lane.state is not LaneState.FINISHED}
        waiting = [lane.partition for name, lane in self._lanes.items() if name not in self._running]
        read = self._finished | {name: lane.progress.place for name, lane in self._lanes.items()}
        for partition in startable(waiting, unfinished):
            lane = self._lanes[partition.id]
            if lane.progress.place == Place():
                lane.progress.place = beginning(partition, read)
            running = tasks.create_task(self._run_lane(lane, tasks), name=f"lane {partition.id}")
            self._running[partition.id] = running

    async def _run_lane(self, lane: Lane, tasks: asyncio.TaskGroup) -> None:
        await lane.run()
        if lane.state is LaneState.FINISHED:
            self._start_lanes(tasks)
        if self._is_stuck():
            self._drain.set()

    def _is_stuck(self) -> bool:
        """Whether no lane can go on, because of those that failed."""
        ended = (LaneState.FINISHED, LaneState.FAILED)
        alive = any(self._lanes[name].state not in ended for name in self._running)
        return not alive and any(lane.state is LaneState.FAILED for lane in self._lanes.values())

    def _failures(self) -> str:
        """Each failed lane's error; of many the first, since the log has them all."""
        failed = [f"{name}: {lane.error}" for name, lane in self._lanes.items() if lane.state is LaneState.FAILED]
        more = len(failed) - _NAMED_FAILURES
        return "; ".join(failed[:_NAMED_FAILURES]) + (f"; and {more} more, see the log" if more > 0 else "")

    async def _settle_lanes(self) -> None:
        for lane in self._lanes.values():
            lane.drain()
        if not self._running:
            return
        _, late = await asyncio.wait(self._running.values(), timeout=self._policy.drain_s)
        if late:
            log.warning("drain took too long, what is not settled will be read again", lanes=len(late))
            for task in late:
                task.cancel()
            await asyncio.wait(late)

    async def _watch(self) -> None:
        """Once a second: sample the rates, and say when the sink stops answering and when it does again."""
        stalled = False
        while True:
            now_s = self._clock.monotonic()
            if stalled != self._delivery.is_stalled():
                stalled = not stalled
                log.warning("the sink does not answer" if stalled else "the sink answers again")
            self._totals.rate.sample(now_s, self._totals.records_written)
            for lane in self._lanes.values():
                lane.progress.rate.sample(now_s, lane.progress.records_written)
            await self._clock.sleep(1.0)


def _place(checkpoint: Checkpoint) -> Place:
    return Place(checkpoint.position, checkpoint.watermark_ms)
