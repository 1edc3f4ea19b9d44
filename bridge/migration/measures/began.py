"""A time for the key ``start`` from which on nothing is missed that arrived behind recorded ends."""

from bridge.errors import BridgeError
from bridge.migration.log import OLDEST_MS, Log, StreamLog, side_by_side
from bridge.migration.measures.ends import Ends
from connectors.base import End, Partition, Place, Position
from connectors.times import iso

_MARGIN_MS = 60_000
"""Clocks differ, and a stream's server tells whole seconds: a minute more is read, and left out by its origins."""
_LOOKED_BACK = 200
_FARTHER = 10


async def start_behind(log: Log, ends: Ends, now_ms: int) -> str:
    """The value of ``start``: a time, or ``earliest`` for a topic in which no time is certain.

    A topic finds a time by those that producers gave their records: behind an end may stand a record that claims to be
    older than all before it. So the time is one that a record before the end of every partition has reached: from it
    on, reading begins there or earlier. Where a partition has no such record all of the topic is read.

    Raises ``BridgeError`` for ends of another kind than the log's, and what reading raises.
    """
    if isinstance(log, StreamLog):
        times = [end.time_ms for end in ends.values() if end.time_ms is not None]
        if len(times) < len(ends) or not times:
            raise BridgeError("begin behind recorded ends", f"they are not those of {log.address}")
        return iso(max(OLDEST_MS, min(times) - _MARGIN_MS))
    found = await side_by_side(lambda name: _newest(log, name, ends[name].position), ends)
    times = [each for each in found if each is not None]
    if len(times) < len(ends) or not times:
        return "earliest"
    return iso(max(OLDEST_MS, min(*times, now_ms) - _MARGIN_MS))


async def _newest(topic: Log, name: str, end: Position | None) -> int | None:
    """The time of a late record at or before ``end``, the latest of those looked at; None where there is none."""
    first = int((await topic.at_time([Partition(name)], OLDEST_MS))[name].position or -1) + 1
    last = int(end or -1)
    looked_back = _LOOKED_BACK
    while last >= first:
        begin = max(first, last + 1 - looked_back)
        times: list[int] = []
        async with topic.reading(name, _before(begin), End(str(last))) as batches:
            async for batch in batches:
                times += batch.timestamps_ms
        if times:
            return max(times)
        last, looked_back = begin - 1, looked_back * _FARTHER
    return None


def _before(offset: int) -> Place:
    return Place(str(offset - 1) if offset > 0 else None)
