"""Whether a target keeps what a job is about to copy: asked before the first record, not found out behind the last."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

import structlog

from bridge.engine.budget import ByteBudget
from connectors.base import Partition, Place, SettingsError, Sink, Source

log = structlog.get_logger(__name__)

_PEEK_BYTES = 64 * 2**20
_PEEK_S = 5.0


async def check_target(source: Source, sink: Sink, starts: Mapping[Partition, Place]) -> None:
    """Compare the oldest records behind ``starts`` with what ``sink`` takes and keeps. Takes some seconds at the most.

    Raises ``SettingsError`` that names the setting and the value it needs. Whatever cannot be looked at in time is
    passed over, and the log says so; the sink still refuses such records one by one.
    """
    oldest_ms = await oldest_record_ms(source, starts)
    if oldest_ms is not None and (cause := sink.too_old_for(oldest_ms)):
        raise SettingsError("copy what is that old", cause, "set it, or write the records with --timestamps now")


async def oldest_record_ms(
    source: Source, starts: Mapping[Partition, Place], patience_s: float = _PEEK_S
) -> int | None:
    """The time of the oldest first record behind ``starts``, milliseconds since the epoch; None where there is none.

    Children are not looked at: what is in their parents is older.
    """
    listed = {partition.id for partition in starts}
    roots = {each: place for each, place in starts.items() if not listed.intersection(each.parents)}
    budget = ByteBudget(_PEEK_BYTES)
    peeks = [asyncio.create_task(_first_ms(source, each, place, budget)) for each, place in roots.items()]
    if not peeks:
        return None
    try:
        done, late = await asyncio.wait(peeks, timeout=patience_s)
    finally:
        for peek in peeks:
            peek.cancel()
        await asyncio.gather(*peeks, return_exceptions=True)
    if late:
        log.warning("the age of some first records is not known: the target may not keep them", partitions=len(late))
    # Whatever a read raises, the job itself meets and names.
    found = [peek.result() for peek in done if peek.exception() is None]
    return min((time for time in found if time is not None), default=None)


async def _first_ms(source: Source, partition: Partition, place: Place, budget: ByteBudget) -> int | None:
    async with aclosing(source.read(partition, place, budget)) as batches:
        async for batch in batches:
            batch.release()
            if len(batch):
                return min(batch.timestamps_ms)
            if batch.is_last:
                return None
    return None
