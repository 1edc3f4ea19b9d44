"""How far consumers have come in what there is now. Reads records: gates do not ask for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.migration.leases.scan import read
from bridge.migration.log import OLDEST_MS, Log, side_by_side
from bridge.migration.sides import Sides
from bridge.migration.translation.application import leases_in, place, unresolved
from bridge.migration.translation.group import committed, group_of
from bridge.migration.translation.progress import ApplicationProgress, Extent, GroupProgress, Progress
from connectors.base import End, GapError, Place


@dataclass(frozen=True, slots=True)
class ConsumerPlace:
    """How far consumers have come in one partition that there is now."""

    partition: str
    place: str | None
    """The checkpoint of the lease as the table has it, or the offset that a group reads next; None without one."""
    is_through: bool | None
    """Whether it has processed all that is there now; None where its place does not tell (LATEST, AT_TIMESTAMP)."""
    unread_ms: int | None
    """When the first record arrived that is not processed, milliseconds since the epoch; of a topic its own time."""


@dataclass(frozen=True, slots=True)
class ConsumerPlaces:
    partitions: tuple[ConsumerPlace, ...]

    @property
    def is_through(self) -> bool:
        """Whether they have certainly processed all that was there when it was looked at."""
        return bool(self.partitions) and all(each.is_through for each in self.partitions)


async def application_places(
    sides: Sides, name: str, *, region: str | None = None, endpoint_url: str | None = None
) -> ConsumerPlaces:
    """Of a KCL application, at work or not. ``region`` None is the stream's.

    Raises ``UsageError`` where no side is a stream, ``UnknownPlaceError`` where the table is of other streams,
    ``CheckpointError``, also where there is no table, and what reading raises.
    """
    stream = sides.stream
    found = await read(stream.lease_table(name, region, endpoint_url), clock=sides.clock)
    leases = leases_in(stream, found.leases.values(), name)
    checkpoints = {shard: lease.checkpoint for shard, lease in leases.items()}
    progress = ApplicationProgress(checkpoints, await stream.listed())
    texts = {shard: place(each) for shard, each in checkpoints.items()}
    return await _places(stream, progress, texts, unknown=unresolved(leases))


async def group_places(sides: Sides, name: str) -> ConsumerPlaces:
    """Of a group. Raises ``UsageError`` where no side is a topic, ``CheckpointError``, and what reading raises."""
    offsets = await committed(group_of(sides.configuration, name))
    texts = {partition: str(offset) for partition, offset in offsets.items()}
    return await _places(sides.topic, GroupProgress(offsets), texts)


async def _places(
    log: Log, progress: Progress, texts: Mapping[str, str], *, unknown: list[str] | None = None
) -> ConsumerPlaces:
    """Of all partitions that there are; of ``unknown`` ones nothing is told but their texts."""
    listed = await log.listed()
    ends, beginnings = await log.ends(listed), await log.at_time(listed, OLDEST_MS)

    async def of(name: str) -> ConsumerPlace:
        if name in (unknown or ()):
            return ConsumerPlace(name, texts.get(name), None, None)
        unread_ms = None
        if progress.extent(name) is not Extent.ALL:
            unread_ms = await _unread_ms(log, name, progress, beginnings[name], ends[name])
        return ConsumerPlace(name, texts.get(name), unread_ms is None, unread_ms)

    return ConsumerPlaces(tuple(await side_by_side(of, sorted(ends))))


async def _unread_ms(log: Log, name: str, progress: Progress, beginning: Place, end: End) -> int | None:
    """When the first record arrived that is not processed; None where there is none before ``end``."""
    try:
        return await _first_unread(log, name, progress, progress.resume(name, beginning), end)
    except GapError as gap:
        if gap.resume is None:
            raise
        # What it had still to read, or the last that it had read, has expired: what is left tells.
        return await _first_unread(log, name, progress, gap.resume, end)


async def _first_unread(log: Log, name: str, progress: Progress, begin: Place, end: End) -> int | None:
    async with log.reading(name, begin, end) as batches:
        async for batch in batches:
            for position, time_ms in zip(batch.positions, batch.arrived_ms, strict=True):
                if not progress.has_processed(name, position):
                    return time_ms
    return None
