"""A group of the topic takes over from an application of the stream."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bridge.migration.leases.lease import Lease, Sentinel
from bridge.migration.leases.rest import Moving, watch
from bridge.migration.leases.scan import read
from bridge.migration.translation import group as groups
from bridge.migration.translation.application import leases_in, place, unresolved
from bridge.migration.translation.errors import UnknownPlaceError
from bridge.migration.translation.progress import ApplicationProgress, Before, Mark
from bridge.migration.translation.report import TranslateReport
from bridge.migration.translation.search import Found, Search
from bridge.migration.translation.survey import Side
from bridge.migration.translation.task import Task, translated
from connectors.base import Partition
from connectors.times import milliseconds

_OLDEST = ("trim_horizon", "earliest")


async def to_group(task: Task) -> TranslateReport:
    """Raises as ``translate``."""
    stream, topic = task.crossing.stream, task.crossing.topic
    former = await groups.committed(task.group)
    task.refuse_moving(await groups.at_work(task.group))
    seen = await watch(task.table, clock=task.clock, failover_s=task.request.failover_s)
    moving = tuple(map(str, seen.movements)) if isinstance(seen, Moving) else ()
    task.refuse_moving(moving)
    # What comes into the topic from now on is nothing that the application has processed.
    new = await Side.of(topic, task.clock.now_ms())
    old = await Side.of(stream, task.clock.now_ms())
    leases = _of_the_stream(task, seen.scan.leases)
    progress = ApplicationProgress(await _marks(task, leases, old), old.partitions)
    move = task.move(stream, topic, progress, needs_record=False)
    found = await Search(move, old, new).run()
    gaps = task.checked(move, found, begins_late=_begins_late(task, new))
    offsets = {name: _offset(found, new, name) for name in sorted(found.cuts, key=int)}
    if task.request.apply:
        await _check_still_at_rest(task, leases)
        await groups.move(task.group, offsets)
    partitions = [translated(name, str(offset), found, _text(former.get(name))) for name, offset in offsets.items()]
    return task.report(partitions, gaps, moving)


def _of_the_stream(task: Task, leases: Mapping[str, Lease]) -> dict[str, Lease]:
    return leases_in(task.crossing.stream, leases.values(), task.request.application)


async def _marks(task: Task, leases: Mapping[str, Lease], old: Side) -> dict[str, Mark]:
    """The checkpoints of ``leases``; those that tell no place as the request says."""
    marks: dict[str, Mark] = {shard: lease.checkpoint for shard, lease in leases.items()}
    unknown, begin = unresolved(leases), task.request.initial_position
    if unknown and begin is None:
        named = ", ".join(f"{shard} is at {place(leases[shard].checkpoint)}" for shard in unknown)
        raise UnknownPlaceError(
            f"read the leases of {task.request.application}",
            f"{named}, which tells no time",
            "say with --initial-position, or cutover.consumers[].start, from when on it reads, as it is configured",
        )
    for shard in unknown:
        marks[shard] = await _begun(task, shard, begin, old) if isinstance(begin, datetime) else Sentinel.TRIM_HORIZON
    return marks


async def _begun(task: Task, shard: str, begin: datetime, old: Side) -> Mark:
    """What counts as processed of a shard that is read from a time on: what arrived before."""
    if shard not in old.ends:
        return Sentinel.SHARD_END
    stream = task.crossing.stream
    places = await stream.at_time([Partition(shard)], milliseconds(begin.astimezone(UTC)))
    async with stream.reading(shard, places[shard], old.ends[shard]) as batches:
        async for batch in batches:
            return Before(batch.positions[0])
    return Sentinel.SHARD_END


async def _check_still_at_rest(task: Task, leases: Mapping[str, Lease]) -> None:
    now = _of_the_stream(task, (await read(task.table, clock=task.clock)).leases)
    shards = sorted({*now, *leases})
    changed = [f"{shard} moved meanwhile" for shard in shards if now.get(shard) != leases.get(shard)]
    task.refuse_moving(changed)


def _begins_late(task: Task, new: Side) -> bool:
    """Whether the topic may lack what the stream has held: some of it has expired, or the mirror began later."""
    start = task.configuration.source.end.start
    return start not in _OLDEST or any(each.position is not None for each in new.beginnings.values())


def _offset(found: Found, new: Side, name: str) -> int:
    first, end = found.cuts[name].first, new.ends[name].position
    if first is not None:
        return int(first.position)
    return int(end) + 1 if end is not None else 0


def _text(offset: int | None) -> str | None:
    return None if offset is None else str(offset)
