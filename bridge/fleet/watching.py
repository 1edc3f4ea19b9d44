"""A mirror with its migration, for those who look at it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from bridge.config import Configuration
from connectors.base import Clock

Told = Callable[[], Mapping[str, object] | None]
"""Where a migration stands, as JSON has it; None where there is none, or it is not known yet."""


def no_migration() -> None:
    """There is none."""


@asynccontextmanager
async def migration_of(asked: Configuration) -> AsyncIterator[Told]:
    """Tells where the migration of ``asked`` stands while the context lasts, if it names one. Raises as ``located``."""
    if asked.cutover is None or asked.listener is None or asked.checkpoints == "memory":
        yield no_migration
        return
    # Few mirrors have a migration, and the steps of one reach far.
    from bridge.keeping.clusters import located  # noqa: PLC0415
    from bridge.keeping.documents import documents_of  # noqa: PLC0415
    from bridge.migration.cutover.watch import CutoverWatch  # noqa: PLC0415

    clock = Clock()
    async with documents_of(await located(asked), clock) as documents:
        watch = CutoverWatch(documents, clock)
        looking = asyncio.create_task(watch.run(), name="migration")
        try:
            yield watch.told
        finally:
            looking.cancel()
            await asyncio.wait([looking])
