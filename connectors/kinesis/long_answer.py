"""The body of an answer that keeps coming for minutes."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import aiohttp

from connectors.base import ConnectorError

LONG_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=40)
"""Without news there still is an event every few seconds: silence means that the connection is lost."""
LONG_READ_BUFFER = 32 * 1024
"""Bytes, twice over, that a connection may hold before somebody has room for them: then its socket is not read."""


class LongAnswer(Protocol):
    """Read piece by piece. What is not read stays with the server."""

    async def exactly(self, size: int) -> bytes:
        """The next ``size`` bytes; none at all where the server has ended the answer in front of them.

        Raises ``TransientError`` where the connection is lost, or the answer ends in the midst of them.
        """


class ReceivedAnswer(LongAnswer):
    """One that aiohttp receives. ``explained`` makes our error of one of its own."""

    def __init__(self, content: aiohttp.StreamReader, explained: Callable[[Exception], ConnectorError]) -> None:
        self._content = content
        self._explained = explained

    async def exactly(self, size: int) -> bytes:
        try:
            return await self._content.readexactly(size)
        except asyncio.IncompleteReadError as error:
            if not error.partial:
                return b""
            raise self._explained(error) from error
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise self._explained(error) from error
