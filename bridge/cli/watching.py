"""A mirror with its migration, for those who look at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bridge.config import Configuration
from bridge.telemetry.observed import ObservedMirror
from connectors.base import Clock


@asynccontextmanager
async def with_migration(asked: Configuration, observed: ObservedMirror) -> AsyncIterator[ObservedMirror]:
    """``observed``, which also tells where the migration of ``asked`` stands, if it names one."""
    if asked.cutover is None or asked.listener is None or asked.checkpoints == "memory":
        yield observed
        return
    # Few mirrors have a migration, and the steps of one reach far.
    from bridge.keeping.documents import documents_of  # noqa: PLC0415
    from bridge.migration.cutover.watch import CutoverWatch  # noqa: PLC0415

    clock = Clock()
    async with documents_of(asked, clock) as documents:
        watch = CutoverWatch(documents, clock)
        looking = asyncio.create_task(watch.run(), name="migration")
        try:
            yield replace(observed, cutover=watch.told)
        finally:
            looking.cancel()
            await asyncio.wait([looking])
