"""Whether a step lets others do something meanwhile."""

import asyncio
from collections.abc import Awaitable


async def turns_during(work: Awaitable[object]) -> int:
    """How often somebody else had a turn before ``work`` was done."""
    turns = 0

    async def watching() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    watcher = asyncio.create_task(watching())
    await work
    watcher.cancel()
    return turns
