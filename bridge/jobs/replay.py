"""A range of the source, sent again."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from secrets import token_hex

import structlog

from bridge.assembly import Assembly, Halt, Job, assemble, policy_of
from bridge.config import Configuration
from bridge.engine.mirror import MirrorFailedError
from bridge.engine.status import LaneState, LaneStatus
from bridge.errors import BridgeError
from bridge.jobs.progress import JobProgress, Meter, Standing
from bridge.jobs.replay_report import Outcome, ReplayedPartition, ReplayReport
from bridge.jobs.replay_request import ReplayRequest, check, own_configuration
from bridge.jobs.restamped import RestampedSink
from bridge.jobs.selection import Selection
from bridge.jobs.target import check_target
from bridge.pacing.spaced import SpacedSource
from bridge.telemetry.counters import Counters
from connectors.base import Clock, Sink, Source

_LOOK_S = 0.1

log = structlog.get_logger(__name__)


async def replay(configuration: Configuration, request: ReplayRequest) -> ReplayReport:
    """Send the range again, each record at least once, and tell what was sent.

    Returns when all of it is durable. Checkpoints, group and transactions of the mirror are not touched, so that the
    mirror may run meanwhile. Cancelling it leaves at once; nothing is stored that a later call would go on from.
    Raises as ``Replay.run``, and ``UsageError`` for what cannot be asked for.
    """
    return await Replay(configuration, request).run()


class Replay:
    """One replay. It can be told to stop at any time, also while the ends are still being reached."""

    def __init__(self, configuration: Configuration, request: ReplayRequest) -> None:
        """Raises ``UsageError`` for what cannot be asked for."""
        check(configuration, request)
        self.id = f"{datetime.now(UTC):%Y%m%dt%H%M%Sz}-{token_hex(3)}"
        self._request = request
        self._clock = Clock()
        self._selection: Selection | None = None
        self._spaced: SpacedSource | None = None
        asked = own_configuration(configuration, request, self.id)
        self._policy = replace(policy_of(asked), replay=self.id)
        self._assembly = assemble(
            asked,
            observer=Counters(),
            clock=self._clock,
            random=Random(),
            job=Job(self._around, self._into, replay=self.id),
        )
        self._halt = Halt(self._assembly.mirror.drain)
        self._meter = Meter(self._assembly.ends.source.rank)

    def stop(self, asked_by: str) -> None:
        """Read no more, and let ``run`` return when what was read is durable. Safe to call twice."""
        if self._halt.ask():
            log.info("stopping", asked_by=asked_by)

    def progress(self) -> JobProgress | None:
        """Where the replay is; None before that is known."""
        known = self._selected.stretches
        lanes = {
            lane.partition: Standing.of(lane, lane.records_written)
            for lane in self._assembly.mirror.status().lanes
            if lane.partition in known
        }
        return self._meter.measure(self._clock.monotonic(), known, lanes) if lanes else None

    async def run(self) -> ReplayReport:
        """Send the range; the report tells whether ``stop`` came before its end.

        Raises ``BridgeError`` where a partition cannot go on, ``UsageError`` where there is no such range, and what
        opening the ends raises.
        """
        began_s = self._clock.monotonic()
        assembly, selection = self._assembly, self._selected
        source = sink = ""
        with self._halt.heeded():
            async with assembly.opened():
                await selection.fix()
                ends = replace(assembly.ends, source=selection)
                await check_target(ends, selection.starts, self._policy, self._clock)
                if self._spaced is not None:
                    await self._spaced.find_earliest(selection.partitions_in_range)
                self._halt.under_way()
                source, sink = assembly.ends.source.address, assembly.ends.sink.address
                log.info("replaying", replay=self.id, source=source, sink=sink)
                if not self._halt.is_asked:
                    await self._send(assembly)
        return self._report(source, sink, self._clock.monotonic() - began_s)

    @property
    def _selected(self) -> Selection:
        assert self._selection is not None  # noqa: S101 - made with the assembly
        return self._selection

    def _around(self, source: Source) -> Source:
        request = self._request
        self._selection = Selection(source, request.since, request.until)
        if request.speed is None:
            return self._selection
        self._spaced = SpacedSource(self._selection, request.speed, self._clock)
        return self._spaced

    def _into(self, sink: Sink) -> Sink:
        return sink if self._request.timestamps == "original" else RestampedSink(sink, self._clock)

    async def _send(self, assembly: Assembly) -> None:
        ending = asyncio.create_task(self._drain_at_the_end(assembly), name="end of the range")
        try:
            await assembly.mirror.run()
        except MirrorFailedError as error:
            raise BridgeError(f"replay {self.id}", str(error), self._how_far()) from error
        finally:
            ending.cancel()

    async def _drain_at_the_end(self, assembly: Assembly) -> None:
        """End the mirror when every partition of the range is done."""
        names = {partition.id for partition in self._selected.partitions_in_range}
        while not names <= self._ended():
            await self._clock.sleep(_LOOK_S)
        assembly.mirror.drain()

    def _ended(self) -> set[str]:
        lanes = self._assembly.mirror.status().lanes
        return {lane.partition for lane in lanes if lane.state in (LaneState.FINISHED, LaneState.FAILED)}

    def _report(self, source: str, sink: str, seconds: float) -> ReplayReport:
        status = self._assembly.mirror.status()
        return ReplayReport(
            id=self.id,
            source=source,
            sink=sink,
            since=self._request.since.text,
            until=self._request.until.text,
            records=status.records_written,
            bytes=status.bytes_written,
            seconds=round(seconds, 3),
            skipped=dict(status.skipped),
            dead_letters=dict(status.dead_letters),
            partitions=self._partitions(),
        )

    def _partitions(self) -> tuple[ReplayedPartition, ...]:
        lanes = {lane.partition: lane for lane in self._assembly.mirror.status().lanes}
        chosen = (partition.id for partition in self._selected.partitions_in_range)
        return tuple(_replayed(name, lanes.get(name)) for name in sorted(chosen))

    def _how_far(self) -> str:
        """For a person, in the hint of a failure."""
        came = [f"{each.partition}/{each.last}" for each in self._partitions() if each.outcome is Outcome.STOPPED]
        return f"sent up to {', '.join(came)}" if came else "nothing was sent of what is not complete"


def _replayed(name: str, lane: LaneStatus | None) -> ReplayedPartition:
    if lane is None:
        return ReplayedPartition(name, Outcome.UNBEGUN, 0, None)
    if lane.state is LaneState.FINISHED:
        return ReplayedPartition(name, Outcome.COMPLETE, lane.records_written, lane.position)
    if not lane.records_written:
        return ReplayedPartition(name, Outcome.UNBEGUN, 0, None)
    return ReplayedPartition(name, Outcome.STOPPED, lane.records_written, lane.position)
