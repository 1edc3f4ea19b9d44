"""All ends of something entered at once, within the time that a command has to say what it cannot reach."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypeVar

from bridge.groups import together
from connectors.base import Connector, UnreachableError

OPENING_S = 26.0
"""All ends are reached, or reported, within this time; a command has 30 s to say so."""

End = TypeVar("End", bound=Connector)


@asynccontextmanager
async def reached(name: str, end: End) -> AsyncIterator[End]:
    """``end`` alone, entered, for those who look before a mirror is opened. A connector is entered once.

    Raises ``UnreachableError`` or ``RefusedError`` within ``OPENING_S``.
    """
    async with AsyncExitStack() as stack:
        await all_opened(stack, {name: end})
        yield end


async def all_opened(stack: AsyncExitStack, ends: Mapping[str, AbstractAsyncContextManager[object]]) -> None:
    """Enter all of ``ends``, by name, at the same time; the first that fails cancels the others, and what it raised is
    raised. Raises ``UnreachableError`` after ``OPENING_S``.
    """
    async with together() as tasks:
        for name, end in ends.items():
            tasks.create_task(_opened_in_time(stack, name, end), name=f"open {name}")


async def _opened_in_time(stack: AsyncExitStack, name: str, end: AbstractAsyncContextManager[object]) -> None:
    try:
        async with asyncio.timeout(OPENING_S):
            await stack.enter_async_context(end)
    except TimeoutError:
        raise UnreachableError(f"open the {name}", f"no answer within {OPENING_S:.0f} s") from None
