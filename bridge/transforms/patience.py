"""How long a step waits for what is not its own."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from connectors.base import TransientError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """That of one step, for each call."""

    step: str
    timeout_s: float

    async def wait(self, call: Awaitable[T]) -> T:
        """What ``call`` answers. Raises ``TransientError`` where it does not in time, and what it raises itself."""
        deadline = asyncio.timeout(self.timeout_s)
        try:
            async with deadline:
                return await call
        except TimeoutError:
            if not deadline.expired():
                raise
            raise TransientError(
                f"transform by {self.step}",
                f"no answer within {self.timeout_s:g} s",
                "it is called again; its timeout is a key of that step",
            ) from None
