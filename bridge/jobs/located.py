"""A range as a person names it, found in a source as it is now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.errors import UsageError
from bridge.jobs.span import Point, meant, positions_in
from connectors.base import End, Partition, Place, Position, Source


@dataclass(frozen=True, slots=True)
class Located:
    """Where a range begins and ends in each of ``partitions``, by their names."""

    partitions: tuple[Partition, ...]
    """Those that the range names, all where it names none."""
    starts: Mapping[str, Place]
    ends: Mapping[str, End]


async def located(source: Source, listing: Sequence[Partition], since: Point, until: Point) -> Located:
    """The range from ``since`` until ``until``, both included, in what is listed.

    Where ``since`` is no position, ``source`` is made so that it starts there. Raises ``UsageError`` where there is no
    such range, and what the source raises.
    """
    there = {partition.id for partition in listing}
    names = meant(since, until, there)
    chosen = tuple(partition for partition in listing if partition.id in names)
    first = {name: each for name, each in positions_in("--from", since, there).items() if name in names}
    last = {name: each for name, each in positions_in("--until", until, there).items() if name in names}
    for name in first.keys() & last.keys():
        if source.rank(last[name]) < source.rank(first[name]):
            raise UsageError(f"--until {until.text}", f"ends before --from {since.text} begins")
    starts = {**await source.start(chosen), **{name: source.just_before(each) for name, each in first.items()}}
    ends = {**await source.ends(chosen, until.time_ms), **await ends_at(source, last)}
    return Located(chosen, starts, ends)


async def ends_at(source: Source, named: Mapping[str, Position]) -> Mapping[str, End]:
    """The ends of partitions at ``named`` positions; or at what is there now, where such a one never comes.

    Raises ``UsageError`` for one that is still to come, and what the source raises.
    """
    now = await source.ends([Partition(name) for name in named], None)
    for name, position in named.items():
        there = now[name].position
        if there is not None and source.rank(position) > source.rank(there):
            raise UsageError(f"--until {name}/{position}", f"still to come: the last one is {there}", "--until now")
    return {name: End(position, now[name].time_ms) for name, position in named.items()}
