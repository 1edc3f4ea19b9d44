"""Reading a partition in tests."""

import asyncio
from contextlib import aclosing
from typing import Any

from bridge.engine.budget import ByteBudget
from connectors.base import Batch, Partition, Place, Record, Source

BUDGET = 64 * 2**20


async def batches(source: Source, partition: str, after: Place, count: int) -> list[Batch]:
    """Batches until they hold ``count`` records or the partition ends; all are released."""
    found: list[Batch] = []
    async with aclosing(source.read(Partition(partition), after, ByteBudget(BUDGET))) as reading:
        async for batch in reading:
            found.append(batch)
            batch.release()
            if sum(map(len, found)) >= count:
                break
    return found


async def records(source: Source, partition: str, after: Place, count: int) -> list[Record]:
    """The first ``count`` records after ``after``, or fewer if the partition ends."""
    return [record for batch in await batches(source, partition, after, count) for record in batch.records()][:count]


async def values(source: Source, partition: str, after: Place, count: int) -> list[bytes | None]:
    return [record.value for record in await records(source, partition, after, count)]


async def until_idle(source: Source, partition: str, after: Place) -> list[Batch]:
    """Batches up to the first one that says that the partition is read to its tip."""
    found: list[Batch] = []
    async with aclosing(source.read(Partition(partition), after, ByteBudget(BUDGET))) as reading:
        async for batch in reading:
            found.append(batch)
            batch.release()
            if not len(batch):
                break
    return found


async def cancelled(task: asyncio.Future[Any]) -> None:
    """Cancel it and wait until it has ended."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
