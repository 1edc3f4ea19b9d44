"""Where a log ended at some moment: recorded, kept as JSON, and compared with what comes later.

A recorded end divides a partition in two: what stands before it, and what arrived behind it. That of a topic is the
last offset that readers could see, which may be a transaction's marker. That of a stream is a time by its server's
clock, whether a shard was open or closed: of a closed one all had arrived by then.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.migration.log import OLDEST_MS, Log
from bridge.parity.lineage import Lineage
from connectors.base import End, Partition, Place

Ends = Mapping[str, End]
"""By partition, of all that were listed at that moment."""

EndsDocument = dict[str, dict[str, Any]]
"""``positions`` by partition; and ``times``, each with its partitions: those of thousands of shards are one."""


async def ends_of(log: Log) -> Ends:
    """Behind all that is there now. Raises what reaching the system raises."""
    return await log.ends(await log.listed())


def written(ends: Ends) -> EndsDocument:
    """As JSON has it; ``read`` undoes it."""
    times: dict[str, list[str]] = {}
    for name, end in ends.items():
        if end.time_ms is not None:
            times.setdefault(str(end.time_ms), []).append(name)
    positions = {name: end.position for name, end in ends.items() if end.position is not None}
    return {"positions": positions, "times": times}


def read(document: Mapping[str, Any]) -> Ends:
    """The ends that were ``written``. Raises ``ValueError`` for a document of another shape."""
    try:
        times = {name: int(time) for time, names in document["times"].items() for name in names}
        positions = dict(document["positions"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"these are no ends: {document!r}") from error
    return {name: End(positions.get(name), times.get(name)) for name in positions | times}


def of_all(ends: Ends, listed: Iterable[Partition]) -> Ends:
    """``ends``, and those of the children that their shards have got since.

    A child begins when its parent ends, and nobody can tell whether that was a moment before the end was recorded: so
    it ends at the same time. A partition that is left out came later, and all of it lies behind.
    """
    listed = tuple(listed)
    lineage = Lineage(listed)
    found = dict(ends)
    for partition in listed:
        if partition.id in ends:
            continue
        times = [ends[name].time_ms for name in lineage.ancestors(partition.id) if name in ends]
        latest_ms = max((each for each in times if each is not None), default=None)
        if latest_ms is not None:
            found[partition.id] = End(time_ms=latest_ms)
    return found


async def behind(log: Log, partition: Partition, end: End | None) -> Place:
    """From where all is read that stands behind ``end``; None: all of the partition that is left.

    Where it is a time that is about to expire, some of what stands before it may be read as well.
    """
    if end is not None and end.position is not None:
        return Place(end.position)
    since_ms = OLDEST_MS if end is None or end.time_ms is None else end.time_ms + 1
    return (await log.at_time([partition], since_ms))[partition.id]
