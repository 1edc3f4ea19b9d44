"""What producers have written to a side behind recorded ends: native records, whoever mirrors between the sides."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.migration.log import Log, side_by_side
from bridge.migration.measures.ends import Ends, behind, of_all
from connectors.base import ORIGIN_HEADER, Batch, End, Partition, Position
from connectors.provenance import way

MOST = 100_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """A native record. ``time_ms``: when it arrived in a stream, its own time in a topic; since the epoch."""

    partition: str
    position: Position
    time_ms: int


@dataclass(frozen=True, slots=True)
class Arrivals:
    """``count`` native records, the earliest and the latest of them by their times."""

    count: int
    first: Arrival | None
    last: Arrival | None
    read: int
    """Records looked at, mirrored ones included."""
    until: Ends
    """As far as they are counted: behind it the next look goes on."""
    is_whole: bool
    """Whether all was looked at that was there; if not, there may be more, and later ones."""


async def arrivals(log: Log, ends: Ends, *, most: int = MOST) -> Arrivals:
    """What has arrived in ``log`` behind ``ends`` and was not mirrored into it, looking at about ``most`` records.

    Every record stands before ``ends``, as ``undrained`` understands them, or is looked at here. A stream into which is
    mirrored without origins shows mirrored records as native ones.

    Raises what reading raises: ``GapError`` where some of them are lost.
    """
    listed = await log.listed()
    known, now = of_all(ends, listed), await log.ends(listed)
    share = max(1, most // max(1, len(listed)))

    async def count(partition: Partition) -> _Counted:
        end = known.get(partition.id)
        counted = _Counted(partition.id, log.address, end, now[partition.id])
        place = await behind(log, partition, end)
        async with log.reading(partition.id, place, now[partition.id]) as batches:
            async for batch in batches:
                counted.take(batch)
                if counted.read >= share:
                    counted.stop(batch)
                    break
        return counted

    return _together(await side_by_side(count, listed))


class _Counted:
    """What was met in one partition."""

    def __init__(self, partition: str, here: str, end: End | None, until: End) -> None:
        self.count = 0
        self.first: Arrival | None = None
        self.last: Arrival | None = None
        self.read = 0
        self.until = until
        self.is_whole = True
        self.partition = partition
        self._here = here
        self._since_ms = -1 if end is None or end.time_ms is None else end.time_ms

    def take(self, batch: Batch) -> None:
        self.read += len(batch)
        for index, time_ms in enumerate(batch.arrived_ms):
            if time_ms > self._since_ms and self._is_native(batch, index):
                self._meet(Arrival(self.partition, batch.positions[index], time_ms))

    def stop(self, batch: Batch) -> None:
        """What follows ``batch`` is left."""
        self.is_whole = batch.is_last
        if not batch.is_last:
            self.until = End(batch.positions[-1])

    def _is_native(self, batch: Batch, index: int) -> bool:
        headers = () if batch.headers is None else batch.headers[index]
        if not any(name == ORIGIN_HEADER for name, _ in headers):
            return True
        return not way(headers, self._here)

    def _meet(self, found: Arrival) -> None:
        self.count += 1
        if self.first is None or found.time_ms < self.first.time_ms:
            self.first = found
        if self.last is None or found.time_ms >= self.last.time_ms:
            self.last = found


def _together(counted: list[_Counted]) -> Arrivals:
    firsts = [each.first for each in counted if each.first is not None]
    lasts = [each.last for each in counted if each.last is not None]
    until: Mapping[str, End] = {each.partition: each.until for each in counted}
    return Arrivals(
        sum(each.count for each in counted),
        min(firsts, key=lambda each: each.time_ms, default=None),
        max(lasts, key=lambda each: each.time_ms, default=None),
        sum(each.read for each in counted),
        until,
        all(each.is_whole for each in counted),
    )
