"""Both sides compared for as long as is wanted, stretch by stretch, some time behind the mirror."""

import asyncio
from functools import partial

import structlog

from bridge.config import Configuration
from bridge.engine.nap import nap
from bridge.errors import UsageError
from bridge.jobs.span import Kind, Point, at
from bridge.parity.by_origin import Proof, Reached, compare_by_origin
from bridge.parity.extents import extent_until, source_extent
from bridge.parity.report import ParityReport, together
from bridge.parity.sides import Parity
from bridge.parity.verification import OLDEST, opened
from bridge.telemetry.parity import ParityCounts
from connectors.base import Clock

log = structlog.get_logger(__name__)

BEHIND_S = 120.0
_EVERY_S = 10.0


class Following:
    """Compares what has been at the source for ``behind_s``: by then a mirror is expected to have written it.

    What it brings later than that is missing.
    """

    def __init__(
        self,
        configuration: Configuration,
        start: Point = OLDEST,
        *,
        behind_s: float = BEHIND_S,
        is_shared: bool = False,
        clock: Clock | None = None,
    ) -> None:
        """Raises ``UsageError`` where records carry no origin, and for a ``start`` that is a position."""
        if start.kind is Kind.POSITIONS:
            raise UsageError("verify --follow --from", "all partitions are followed", "name a time, or leave it out")
        if not configuration.sends_origins:
            raise UsageError(
                "verify --follow", "records without an origin do not tell which stretch they belong to", "leave it out"
            )
        self.counts = ParityCounts(configuration.name)
        """Grow as stretches are compared."""
        self._configuration = configuration
        self._start = start
        self._behind_s = behind_s
        self._is_shared = is_shared
        self._clock = clock or Clock()
        self._stopped = asyncio.Event()
        self._report: ParityReport | None = None

    def stop(self, _: str = "") -> None:
        """Let ``run`` end after the stretch it is at."""
        self._stopped.set()

    async def run(self) -> ParityReport:
        """Compare until ``stop``; all that was compared, as one. Raises as ``verify``."""
        async with opened(self._configuration, self._start, is_shared=self._is_shared, clock=self._clock) as parity:
            reached: Reached | None = None
            while True:
                until_ms = self._clock.now_ms() - int(self._behind_s * 1000)
                proof = await self._stretch(parity, reached, until_ms)
                reached = proof.reached
                self._tell(proof.report, until_ms)
                if self._stopped.is_set():
                    break
                await nap(_EVERY_S, self._stopped)
        return self._report or proof.report

    async def _stretch(self, parity: Parity, reached: Reached | None, until_ms: int) -> Proof:
        before = reached or Reached()
        if reached is None:
            source = await source_extent(parity.source, self._start, at(until_ms))
        else:
            source = await extent_until(parity.source, before.source, until_ms, but=before.source_finished)
        sink = partial(extent_until, parity.sink, before.sink, None, but=before.sink_finished)
        return await compare_by_origin(parity, source, sink, reached)

    def _tell(self, report: ParityReport, until_ms: int) -> None:
        self._report = report if self._report is None else together(self._report, report)
        self.counts.add(report.source_records, {kind: each.count for kind, each in report.differences.items()})
        self.counts.proven_ms = until_ms
        if not report.equal:
            log.warning("different", **{kind.value: each.count for kind, each in report.differences.items()})
        log.info("compared", source_records=report.source_records, equal=report.equal)
