"""What is done in spite of what passes."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from bridge.engine.bounded import BoundedSource
from bridge.engine.retry import Backoff
from connectors.base import Batch, Budget, Clock, Partition, Place, TransientError

T = TypeVar("T")

_TRIES = 5
"""In a row, without a batch between them."""


async def insist(call: Callable[[], Awaitable[T]], clock: Clock, backoff: Backoff) -> T:
    """What ``call`` answers, some time. Raises what it raises."""
    tries = 0
    while True:
        try:
            return await call()
        except TransientError:
            tries += 1
            if tries == _TRIES:
                raise
            await clock.sleep(backoff.next())


async def read_on(
    source: BoundedSource, partition: Partition, after: Place, budget: Budget, clock: Clock, backoff: Backoff
) -> AsyncGenerator[Batch, None]:
    """All batches behind ``after``, each good until the next one is asked for, to the end of ``partition``.

    What may pass is tried again some times, from behind the last batch. Raises what reading raises.
    """
    tries = 0
    while True:
        try:
            async with aclosing(source.read(partition, after, budget)) as batches:
                async for batch in batches:
                    tries, after = 0, batch.place
                    try:
                        yield batch
                    finally:
                        batch.release()
                    # While the next one is awaited, nothing here may keep the memory of one that is done with.
                    del batch
                    # Where all is fetched already nothing else makes room for other partitions.
                    await asyncio.sleep(0)
        except TransientError:
            tries += 1
            if tries == _TRIES:
                raise
            await clock.sleep(backoff.next())
        else:
            return
