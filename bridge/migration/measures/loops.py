"""Whether somebody mirrors back already: a sample of the source shows what came out of the sink."""

from bridge.migration.log import Log, side_by_side
from connectors.base import Partition
from connectors.provenance import looped

_SAMPLE_MS = 600_000
"""So much of the latest past is looked at."""
_MOST = 20_000


async def came_back(source: Log, sink: Log, now_ms: int) -> int:
    """How many records of the last ten minutes were in ``sink`` before they came to ``source``, among some 20,000.

    Of a topic the records' own times count. Raises what reading raises.
    """
    listed = await source.listed()
    places = await source.at_time(listed, max(1, now_ms - _SAMPLE_MS))
    ends = await source.ends(listed)
    share = max(1, _MOST // max(1, len(listed)))

    async def of(partition: Partition) -> int:
        found = read = 0
        async with source.reading(partition.id, places[partition.id], ends[partition.id]) as batches:
            async for batch in batches:
                found += len(looped(batch, source.address, sink.address))
                read += len(batch)
                if read >= share:
                    break
        return found

    return sum(await side_by_side(of, listed))
