"""What of either side is compared, as a person names it."""

from collections.abc import Collection, Mapping

from bridge.assembly.reading import Start
from bridge.errors import UsageError
from bridge.jobs.span import Kind, Point, ends_at, positions_in
from bridge.parity.reading import Extent, Side
from connectors.base import Place, Position


def start_of(point: Point) -> Start:
    """What a source is told so that it begins at ``point``, in partitions where that is no position."""
    if point.time is not None:
        return point.time
    return "now" if point.kind is Kind.NOW else "oldest"


async def source_extent(side: Side, start: Point, until: Point) -> Extent:
    """From ``start``, until ``until`` or what is there now; both included.

    Positions restrict it to the partitions that they name. Raises ``UsageError`` for those that there are not, and
    what the source raises.
    """
    listed = await side.listed()
    there = {partition.id for partition in listed}
    starts, ends = positions_in("--from", start, there), positions_in("--until", until, there)
    chosen = [partition for partition in listed if _is_meant(partition.id, start, starts, until, ends)]
    places = dict(await side.source.start(chosen))
    places |= {name: side.source.just_before(position) for name, position in starts.items()}
    found = dict(await side.source.ends(chosen, until.time_ms))
    _check_order(side, starts, ends)
    found |= await ends_at(side.source, ends)
    return Extent(tuple(chosen), places, found, follows=not starts and not ends)


async def extent_until(
    side: Side, starts: Mapping[str, Place], until_ms: int | None, *, but: Collection[str]
) -> Extent:
    """What arrived up to ``until_ms``, or is there now; from ``starts`` on, in partitions that have one.

    ``but`` are partitions that are read to their ends.
    """
    listed = tuple(partition for partition in await side.listed() if partition.id not in but)
    new = [partition for partition in listed if partition.id not in starts]
    places = {**starts, **await side.source.start(new)}
    return Extent(listed, places, await side.source.ends(listed, until_ms), follows=True)


async def everything(side: Side) -> Extent:
    """All that is there now."""
    return await extent_until(side, {}, None, but=())


def _is_meant(
    name: str, start: Point, starts: Mapping[str, Position], until: Point, ends: Mapping[str, Position]
) -> bool:
    return (start.kind is not Kind.POSITIONS or name in starts) and (until.kind is not Kind.POSITIONS or name in ends)


def _check_order(side: Side, starts: Mapping[str, Position], ends: Mapping[str, Position]) -> None:
    for name in starts.keys() & ends.keys():
        if side.source.rank(starts[name]) > side.source.rank(ends[name]):
            raise UsageError(f"--until {name}/{ends[name]}", f"it stands before --from {name}/{starts[name]}")
