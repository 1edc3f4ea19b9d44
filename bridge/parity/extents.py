"""What of either side is compared, as a person names it."""

from collections.abc import Collection, Mapping

from bridge.jobs.located import located
from bridge.jobs.span import Kind, Point
from bridge.parity.reading import Extent, Side
from connectors.base import Place


async def source_extent(side: Side, start: Point, until: Point) -> Extent:
    """From ``start``, until ``until`` or what is there now; both included.

    Positions restrict it to the partitions that they name. Raises ``UsageError`` for those that there are not, and
    what the source raises.
    """
    found = await located(side.source, await side.listed(), start, until)
    follows = Kind.POSITIONS not in (start.kind, until.kind)
    is_whole = (start.kind, until.kind) == (Kind.OLDEST, Kind.NOW)
    return Extent(found.partitions, found.starts, found.ends, follows=follows, is_whole=is_whole)


async def extent_until(
    side: Side, starts: Mapping[str, Place], until_ms: int | None, *, but: Collection[str]
) -> Extent:
    """What arrived up to ``until_ms``, or is there now; from ``starts`` on, in partitions that have one.

    ``but`` are partitions that are read to their ends.
    """
    listed = tuple(partition for partition in await side.listed() if partition.id not in but)
    new = [partition for partition in listed if partition.id not in starts]
    places = {**starts, **await side.source.start(new)}
    is_whole = until_ms is None and not starts and not but
    return Extent(listed, places, await side.source.ends(listed, until_ms), follows=True, is_whole=is_whole)


async def everything(side: Side) -> Extent:
    """All that is there now."""
    return await extent_until(side, {}, None, but=())
