"""A bounded range of the source, copied into the sink as a mirror does, and no further."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from random import Random

import structlog

from bridge.assembly import Assembly, Halt, Job, assemble, policy_of, reached
from bridge.config import Configuration
from bridge.engine.bounded import BoundedSource
from bridge.engine.mirror import Ends, Mirror, MirrorFailedError
from bridge.engine.start import gone, is_known
from bridge.errors import BridgeError, UsageError
from bridge.jobs.backfill_report import BackfillReport, Verdict, partitions
from bridge.jobs.backfill_request import BackfillRequest, check, own_configuration
from bridge.jobs.frozen import (
    Stored,
    check_sink,
    check_source,
    check_whole,
    frozen,
    is_done,
    job_of,
    standings,
    stretches,
)
from bridge.jobs.progress import JobProgress, Meter
from bridge.jobs.restamped import RestampedSink
from bridge.jobs.span import Kind, Point
from bridge.jobs.target import check_target
from bridge.keeping.changing import changeable
from bridge.keeping.stores import checkpoint_reader
from bridge.telemetry.counters import Counters
from bridge.telemetry.observed import ObservedMirror
from checkpoints.base import CheckpointStore, StoreBusyError
from connectors.base import Clock, Partition, Sink, Source

_NOW = Point(Kind.NOW, "now")
_NOTHING_ELSE = Job()
_LOOK_S = 0.5
_GRACE_S = 2.0
"""Beyond a session, until a group has noticed that a worker is dead."""

log = structlog.get_logger(__name__)


async def backfill(configuration: Configuration, request: BackfillRequest | None = None) -> BackfillReport:
    """Copy the range, and tell what was copied, by this call or by earlier ones of the same job.

    Returns when exactly the range is durable; of a job that is done at once. Where it begins and ends is frozen, and
    stored, before the first record: a call after a crash goes on with the same range. ``kmbridge run`` goes on behind
    it. Cancelling it leaves at once. Raises as ``Backfill.run``, and ``UsageError`` for what cannot be asked for.
    """
    return await Backfill(configuration, request or BackfillRequest()).run()


class Backfill:
    """One backfill. It can be told to stop at any time, also while the ends are still being reached."""

    def __init__(self, configuration: Configuration, request: BackfillRequest, job: Job = _NOTHING_ELSE) -> None:
        """``job`` is what else is to be done on the way. Raises ``UsageError`` for what cannot be asked for."""
        check(configuration, request)
        counters = Counters()
        self._asked = own_configuration(configuration, request)
        self._request = request
        self._job = job
        self._clock = Clock()
        self._assembly = self._assembled(counters)
        self._halt = Halt(self._assembly.mirror.drain)
        self._stored: Stored = {}
        """As it is when the copying begins."""
        self._meter = Meter(self._assembly.ends.source.rank)
        self.observed = ObservedMirror(
            configuration.name,
            self._assembly.mirror.status,
            counters.snapshot,
            source=configuration.source.end.place,
            sink=configuration.sink.end.place,
            job=self._told,
        )

    @property
    def mirror(self) -> Mirror:
        """What copies, whose lanes take orders while it does."""
        return self._assembly.mirror

    @property
    def source(self) -> Source:
        """Where it reads; entered while it copies."""
        return self._assembly.ends.source

    def stop(self, asked_by: str) -> None:
        """Read no more, and let ``run`` return when what was read is durable and stored. Safe to call twice."""
        if self._halt.ask():
            log.info("draining", asked_by=asked_by)

    def progress(self) -> JobProgress | None:
        """Where the job is; None before that is known."""
        # A child that is new has a lane and no checkpoint yet.
        known, lanes = stretches(self._stored), standings(self._stored, self._assembly.mirror.status().lanes)
        lanes = {name: lane for name, lane in lanes.items() if name in known}
        return self._meter.measure(self._clock.monotonic(), known, lanes) if lanes else None

    def _told(self) -> Mapping[str, object] | None:
        progress = self.progress()
        return None if progress is None else {"kind": "backfill", **progress.to_json()}

    async def run(self) -> BackfillReport:
        """Copy the range; the report tells whether ``stop`` came before its end.

        Raises ``UsageError`` where there is no such range, or another job is not done; ``StoreBusyError`` beside a
        running mirror of the same name, and when one comes meanwhile; ``BridgeError`` where a partition cannot go on;
        and what opening the ends and the checkpoints raises.
        """
        began_s = self._clock.monotonic()
        was_done = is_complete = False
        with self._halt.heeded():
            was_done = is_complete = not await self._prepare()
            if not was_done:
                is_complete = await self._copy()
        stored = await checkpoint_reader(self._asked).load()
        since, until = job_of(stored) or ("", "")
        return BackfillReport(
            name=self._asked.name,
            since=since or f"start: {self._asked.source.begins}",
            until=until,
            verdict=Verdict.COMPLETE if is_complete else Verdict.INTERRUPTED,
            partitions=partitions(stored),
            was_done=was_done,
            seconds=round(self._clock.monotonic() - began_s, 3),
        )

    async def _prepare(self) -> bool:
        """See to it that there is a frozen range; whether something of it is left to copy."""
        # Only to look: what is entered here cannot be entered again to copy.
        ends = self._assembled(Counters()).ends
        async with reached("source", ends.source) as source:
            listing = await _listed(source)
            stored = {} if self._request.anew else await checkpoint_reader(self._asked).load()
            check_source(stored, source)
            check_whole(stored, listing)
            if self._is_nothing_left(stored, listing):
                async with reached("sink", ends.sink) as sink:
                    check_sink(stored, sink)
                log.info("done already", mirror=self._asked.name)
                return False
            async with self._owned() as store:
                self._stored = await store.load()
                if self._begins_anew(self._stored):
                    async with reached("sink", ends.sink):
                        self._stored = await self._freeze(ends, store, self._stored)
        return True

    def _is_nothing_left(self, stored: Stored, listing: tuple[Partition, ...]) -> bool:
        """Whether the job that is asked for is done."""
        return not self._begins_anew(stored) and is_done(stored, listing)

    def _begins_anew(self, stored: Stored) -> bool:
        """Whether this is another job than the last one. Raises ``UsageError`` where it cannot be."""
        request, last = self._request, job_of(stored)
        if request.anew:
            return True
        if last is None and stored and request.since is not None:
            raise self._stands(request.since)
        if last is None or request.again:
            return True
        for option, asked, was in (("--from", request.since, last[0]), ("--until", request.until, last[1])):
            if asked is not None and asked.text != was:
                raise self._another(option, asked.text, was)
        return False

    async def _freeze(self, ends: Ends, store: CheckpointStore, stored: Stored) -> Stored:
        """Fix the range and store it, if the sink would keep what is in it."""
        before, stored = stored, {} if self._request.anew else stored
        is_new = not stored and self._asked.on_gap == "stop"
        if is_new and await store.forgets() and await is_known(ends.source, ends.sink):
            raise gone(f"backfill {self._asked.name}", ends.source, ends.sink)
        until, listing = self._request.until or _NOW, await _listed(ends.source)
        begun = await frozen(ends.source, listing, stored, self._request.since, until, self._clock.now_ms())
        ranges, bounded = stretches(begun), BoundedSource(ends.source)
        bounded.bounds.update({name: stretch.end for name, stretch in ranges.items()})
        starts = {each: ranges[each.id].start for each in listing if each.id in ranges}
        await check_target(replace(ends, source=bounded), starts, policy_of(self._asked), self._clock)
        await store.save(begun)
        await store.delete(before.keys() - begun.keys())
        log.info("range frozen", until=until.text, partitions=len(ranges))
        return begun

    async def _copy(self) -> bool:
        """Mirror as far as the range goes; whether it came to its end."""
        assembly = self._assembly
        async with assembly.opened():
            self._halt.under_way()
            log.info("copying", source=assembly.ends.source.address, sink=assembly.ends.sink.address)
            try:
                await assembly.mirror.run()
            except MirrorFailedError as error:
                raise BridgeError(
                    f"backfill {self._asked.name}", str(error), "what is copied stays so: the same command goes on"
                ) from error
        return assembly.mirror.is_complete

    @asynccontextmanager
    async def _owned(self) -> AsyncIterator[CheckpointStore]:
        """The checkpoints, owned. A worker that was killed is waited for, since nobody can tell it from a living one.

        Raises ``StoreBusyError``, which names it, where one is alive.
        """
        patience_s = self._asked.workers.session_timeout + _GRACE_S if self._asked.shares_work else 0.0
        deadline_s = self._clock.monotonic() + patience_s
        async with AsyncExitStack() as stack:
            store: CheckpointStore | None = None
            while store is None:
                try:
                    store = await stack.enter_async_context(changeable(self._asked, create=True, force=False))
                except StoreBusyError as error:
                    if self._clock.monotonic() >= deadline_s:
                        raise self._busy(error) from None
                    await self._clock.sleep(_LOOK_S)
            yield store

    def _assembled(self, counters: Counters) -> Assembly:
        job = replace(self._job, into=self._into, bounded=True)
        return assemble(self._asked, observer=counters, clock=self._clock, random=Random(), job=job)

    def _into(self, sink: Sink) -> Sink:
        sink = self._job.into(sink)
        return sink if self._request.timestamps == "original" else RestampedSink(sink, self._clock)

    def _busy(self, error: StoreBusyError) -> StoreBusyError:
        return StoreBusyError(
            f"backfill {self._asked.name}", error.cause, "stop the mirror of this name first: both would share its work"
        )

    def _stands(self, since: Point) -> UsageError:
        return UsageError(
            f"--from {since.text}",
            f"mirror {self._asked.name} has checkpoints, and goes on from there",
            "leave --from out; kmbridge replay sends a range again; kmbridge checkpoints reset forgets them",
        )

    def _another(self, option: str, asked: str, was: str) -> UsageError:
        begun = f"{option} {was}" if was else f"without {option}"
        return UsageError(
            f"{option} {asked}",
            f"the backfill of {self._asked.name} was begun {begun}",
            f"leave {option} out to go on with that one; --again begins another from where it stands",
        )


async def _listed(source: Source) -> tuple[Partition, ...]:
    async with aclosing(source.partitions()) as listings:
        return await anext(listings)
