"""What of either side is compared, as a person names it."""

from collections.abc import Mapping, Sequence

from bridge.assembly.reading import Start
from bridge.errors import UsageError
from bridge.jobs.span import Kind, Point
from bridge.parity.reading import Extent, Side
from connectors.base import End, Partition, Place, Position


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
    starts, ends = _named(start, listed), _named(until, listed)
    chosen = [partition for partition in listed if _is_meant(partition.id, start, starts, until, ends)]
    places = dict(await side.source.start(chosen))
    places |= {name: side.source.just_before(position) for name, position in starts.items()}
    found = dict(await side.source.ends(chosen, until.time_ms))
    found |= {name: End(position=position) for name, position in ends.items()}
    _check_order(side, starts, ends)
    return Extent(tuple(chosen), places, found, follows=not starts and not ends)


async def everything(side: Side, starts: Mapping[str, Place] | None = None) -> Extent:
    """All that is there now; from ``starts`` on, in partitions that have one."""
    listed = await side.listed()
    places = await side.source.start(listed)
    return Extent(listed, {**places, **(starts or {})}, await side.source.ends(listed, None), follows=True)


def _named(point: Point, listed: Sequence[Partition]) -> Mapping[str, Position]:
    """The positions of ``point`` by partition."""
    names = {partition.id for partition in listed}
    found: dict[str, Position] = {}
    for name, position in point.positions.items():
        if not name and len(names) > 1:
            raise UsageError(point.text, f"there are {len(names)} partitions", "write PARTITION/POSITION")
        partition = name or next(iter(names))
        if partition not in names:
            raise UsageError(point.text, f"there is no partition {partition}", f"there are {', '.join(sorted(names))}")
        found[partition] = position
    return found


def _is_meant(
    name: str, start: Point, starts: Mapping[str, Position], until: Point, ends: Mapping[str, Position]
) -> bool:
    return (start.kind is not Kind.POSITIONS or name in starts) and (until.kind is not Kind.POSITIONS or name in ends)


def _check_order(side: Side, starts: Mapping[str, Position], ends: Mapping[str, Position]) -> None:
    for name in starts.keys() & ends.keys():
        if side.source.rank(starts[name]) > side.source.rank(ends[name]):
            raise UsageError(f"--until {name}/{ends[name]}", f"it stands before --from {name}/{starts[name]}")
