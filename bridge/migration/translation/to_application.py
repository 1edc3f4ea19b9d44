"""A new application of the stream takes over from a group of the topic."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bridge.migration.leases.new_table import create
from bridge.migration.translation import group as groups
from bridge.migration.translation.application import new_leases, place
from bridge.migration.translation.errors import UnknownPlaceError
from bridge.migration.translation.progress import GroupProgress
from bridge.migration.translation.report import TranslateReport
from bridge.migration.translation.search import Search
from bridge.migration.translation.survey import Side
from bridge.migration.translation.task import Task, translated
from connectors.times import milliseconds


async def to_application(task: Task) -> TranslateReport:
    """Raises as ``translate``."""
    stream, topic = task.crossing.stream, task.crossing.topic
    moving = await groups.at_work(task.group)
    task.refuse_moving(moving)
    committed = await groups.committed_some(task.group)
    # What comes into the stream from now on is nothing that the group has processed.
    new = await Side.of(stream, task.clock.now_ms())
    old = await Side.of(topic, task.clock.now_ms())
    _check_are_there(task, committed, old)
    progress = GroupProgress(await _offsets(task, committed, old))
    move = task.move(topic, stream, progress, needs_record=True)
    found = await Search(move, old, new).run()
    gaps = task.checked(move, found, begins_late=True)
    leases = new_leases(found.cuts, await stream.stream.shards())
    if task.request.apply:
        await _check_still_at_rest(task, committed)
        await create(task.table, leases, clock=task.clock)
    partitions = [translated(lease.shard, place(lease.checkpoint), found) for lease in leases]
    return task.report(partitions, gaps, moving)


def _check_are_there(task: Task, committed: Mapping[str, int], old: Side) -> None:
    """Raises ``UnknownPlaceError`` for offsets that the topic has not reached: they are of another one."""
    ends = {name: 0 if end.position is None else int(end.position) + 1 for name, end in old.ends.items()}
    beyond = [
        f"partition {name} at {offset}, which ends at {ends.get(name, 0)}"
        for name, offset in committed.items()
        if offset > ends.get(name, 0)
    ]
    if beyond:
        raise UnknownPlaceError(
            f"translate from {task.group}",
            f"it stands behind the end of {', '.join(beyond)}",
            "was the topic made anew? then its offsets tell nothing",
        )


async def _offsets(task: Task, committed: Mapping[str, int], old: Side) -> dict[str, int]:
    """Those that are committed; in other partitions nothing is processed, but for what a request leaves out."""
    begin, offsets = task.request.initial_position, dict(committed)
    absent = [partition for partition in old.partitions if partition.id not in committed]
    if absent and isinstance(begin, datetime):
        places = await task.crossing.topic.at_time(absent, milliseconds(begin.astimezone(UTC)))
        offsets |= {name: int(each.position) + 1 for name, each in places.items() if each.position is not None}
    return offsets


async def _check_still_at_rest(task: Task, committed: Mapping[str, int]) -> None:
    changed = await groups.committed(task.group) != committed
    task.refuse_moving(await groups.at_work(task.group))
    task.refuse_moving([f"group {task.request.group} committed meanwhile"] if changed else [])
