"""Several tasks that succeed or fail as one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def together() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group: the first failure ends all other tasks, and is raised by itself instead of in a group."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except ExceptionGroup as errors:
        raise first(errors) from None


def first(errors: ExceptionGroup[Exception]) -> Exception:
    """The failure that ended all other tasks of the group."""
    error = errors.exceptions[0]
    return first(error) if isinstance(error, ExceptionGroup) else error
