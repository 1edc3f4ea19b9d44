"""What of a writer's records is at an end: found by their ids, where these can be carried."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random

import structlog

from bridge.assembly.opening import reached
from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.jobs.span import Kind, Point
from bridge.migration.dual_write.counts import Tally
from bridge.migration.dual_write.since import Since
from bridge.migration.dual_write.targets import Target
from bridge.parity.extents import source_extent
from bridge.parity.reading import Side
from connectors import dual_write_id
from connectors.base import Batch, Clock, GapError, Observer, Partition, Place
from connectors.times import moment_at

log = structlog.get_logger(__name__)

SKEW_MS = 60_000
"""By so much the clock of an end may be behind this machine's."""
_MEMORY = 24 * 2**20
_OLDEST, _NOW = Point(Kind.OLDEST, "trim_horizon"), Point(Kind.NOW, "now")


@dataclass(frozen=True, slots=True)
class Landed:
    """What was found."""

    places: Mapping[int, str]
    """By number: ``PARTITION/POSITION``."""
    is_whole: bool
    """Whether what is not among them is not there. Otherwise it may have expired, or cannot be told."""


class LookBack:
    """Looks into ``target`` for records of ``writer``."""

    def __init__(
        self,
        target: Target,
        writer: str,
        settled_at: float,
        clock: Clock,
        random: Random,
        observer: Observer,
        tally: Tally,
    ) -> None:
        """From ``settled_at`` on, by the monotonic clock, nothing lands any more that an earlier life sent."""
        self._target = target
        self.writer = writer
        """Whose records are looked for."""
        self._settled_at = settled_at
        self._clock = clock
        self._random = random
        self._observer = observer
        self._tally = tally

    @property
    def can_tell(self) -> bool:
        """Whether records can be found there at all."""
        return self._target.carries_ids

    async def landed_at_last(self, numbers: Collection[int], since: Since) -> Landed:
        """As ``landed``, but a call that a crash cut off is waited for, where that may still be on its way."""
        begun = self._clock.monotonic()
        landed = await self.landed(numbers, since)
        if begun < self._settled_at and landed.is_whole and len(landed.places) < len(numbers):
            await self._clock.sleep(max(0.0, self._settled_at - self._clock.monotonic()))
            landed = await self.landed(numbers, since)
        return landed

    async def landed(self, numbers: Collection[int], since: Since) -> Landed:
        """Which of ``numbers`` are there now. There are none from before ``since``.

        Reads all that the end has from then on, and nothing without numbers, or where nothing can be told. Raises as a
        source does: ``TransientError`` where it may be tried again, ``RefusedError`` without the permission to read.
        """
        if not numbers or not self.can_tell:
            return Landed({}, is_whole=self.can_tell)
        oldest_ms = since.journalled_ms if self._target.is_read_by_arrival else since.stamped_ms
        start = moment_at(max(0, oldest_ms - SKEW_MS))
        self._tally.look_backs += 1
        try:
            return Landed(await self._found(numbers, start), is_whole=True)
        except GapError as error:
            log.warning("some of what was sent may have expired meanwhile", error=str(error))
            return Landed(await self._found(numbers, None), is_whole=False)

    async def _found(self, numbers: Collection[int], since: datetime | None) -> Mapping[int, str]:
        finder = _Finder(self.writer, numbers)
        source = self._target.source(since, self._clock, self._random, self._observer)
        start = _OLDEST if since is None else Point(Kind.TIME, since.isoformat(), since)
        async with reached(self._target.label, source):
            side = Side(source, ByteBudget(_MEMORY), self._clock, lambda: Backoff(self._random))
            await side.read(await source_extent(side, start, _NOW), finder)
        return finder.places


class _Finder:
    """Remembers where the wanted records are; of two copies the first."""

    def __init__(self, writer: str, wanted: Collection[int]) -> None:
        self.places: dict[int, str] = {}
        self._writer = writer
        self._wanted = wanted

    def begin(self, partition: Partition) -> None:
        """A record is found wherever it is."""

    def take(self, batch: Batch) -> None:
        if batch.headers is None:
            return
        for position, headers in zip(batch.positions, batch.headers, strict=True):
            found = dual_write_id.of(headers)
            if found is not None and found[0] == self._writer and found[1] in self._wanted:
                self.places.setdefault(found[1], f"{batch.partition}/{position}")

    def end(self, partition: Partition, place: Place) -> None:
        """Nothing follows from it."""
