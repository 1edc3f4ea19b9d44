"""Whether consumers are there, whether they are at work, and how far they have come."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bridge.migration.leases.rest import FAILOVER_S, Moving, watch
from bridge.migration.log import OLDEST_MS, Log, side_by_side
from bridge.migration.sides import Sides
from bridge.migration.translation.application import leases_in, place, unresolved
from bridge.migration.translation.group import at_work, committed, group_of
from bridge.migration.translation.progress import ApplicationProgress, Extent, GroupProgress, Progress
from checkpoints.dynamodb.faults import MissingTableError
from connectors.base import End, GapError, Place


class ConsumerState(StrEnum):
    ABSENT = "absent"
    """There is no table, or neither a member nor an offset."""
    AT_REST = "at_rest"
    """It has places and nobody works on them."""
    MOVING = "moving"
    """Somebody is at work, or was in the middle of a hand-over."""


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
class ConsumerStanding:
    """An application of KCL or a group of Kafka's, by its name. ``at_work`` says who is at work, for a person."""

    name: str
    state: ConsumerState
    at_work: tuple[str, ...]
    places: tuple[ConsumerPlace, ...]

    @property
    def is_through(self) -> bool:
        """Whether it has certainly processed all that was there when it was looked at."""
        return bool(self.places) and all(each.is_through for each in self.places)


async def application(
    sides: Sides,
    name: str,
    *,
    failover_s: float = FAILOVER_S,
    region: str | None = None,
    endpoint_url: str | None = None,
) -> ConsumerStanding:
    """The KCL application of that name, which reads the mirror's stream; takes a second longer than ``failover_s``.

    Its table is in ``region``, None: the stream's. Raises ``UsageError`` where no side is a stream,
    ``UnknownPlaceError`` where the table is of other streams, ``CheckpointError``, and what reading raises.
    """
    stream = sides.stream
    table = stream.lease_table(name, region, endpoint_url)
    try:
        seen = await watch(table, clock=sides.clock, failover_s=failover_s)
    except MissingTableError:
        return ConsumerStanding(name, ConsumerState.ABSENT, (), ())
    leases = leases_in(stream, seen.scan.leases.values(), name)
    checkpoints = {shard: lease.checkpoint for shard, lease in leases.items()}
    progress = ApplicationProgress(checkpoints, await stream.listed())
    texts = {shard: place(each) for shard, each in checkpoints.items()}
    places = await _places(stream, progress, texts, unknown=unresolved(leases))
    if isinstance(seen, Moving):
        return ConsumerStanding(name, ConsumerState.MOVING, tuple(map(str, seen.movements)), places)
    return ConsumerStanding(name, ConsumerState.AT_REST, (), places)


async def group(sides: Sides, name: str) -> ConsumerStanding:
    """The group of that name, which reads the mirror's topic.

    Raises ``UsageError`` where no side is a topic, ``CheckpointError``, and what reading the topic raises.
    """
    consumers = group_of(sides.configuration, name)
    members, offsets = await at_work(consumers), await committed(consumers)
    if not members and not offsets:
        return ConsumerStanding(name, ConsumerState.ABSENT, (), ())
    texts = {partition: str(offset) for partition, offset in offsets.items()}
    places = await _places(sides.topic, GroupProgress(offsets), texts)
    state = ConsumerState.MOVING if members else ConsumerState.AT_REST
    return ConsumerStanding(name, state, members, places)


async def _places(
    log: Log, progress: Progress, texts: Mapping[str, str], *, unknown: list[str] | None = None
) -> tuple[ConsumerPlace, ...]:
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

    return tuple(await side_by_side(of, sorted(ends)))


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
