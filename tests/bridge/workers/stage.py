"""Where stand-in workers appear, one a life, and are told what to do."""

import asyncio
import os
import signal
import sys
from asyncio import StreamReader, StreamWriter
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bridge.workers import stand_in

_TIMEOUT_S = 30


class Actor:
    """One life of a worker."""

    def __init__(self, pid: int, reader: StreamReader, writer: StreamWriter) -> None:
        self.pid = pid
        self._reader = reader
        self._writer = writer

    def order(self, *words: object) -> None:
        self._writer.write((" ".join(map(str, words)) + "\n").encode())

    async def drains(self) -> None:
        """Wait until it has been asked to drain."""
        async with asyncio.timeout(_TIMEOUT_S):
            assert await self._reader.readline() == b"draining\n"

    async def left(self) -> None:
        """Wait until its process has ended, whatever it said before."""
        async with asyncio.timeout(_TIMEOUT_S):
            try:
                await self._reader.read()
            except ConnectionError:
                return

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.pid, number)


class Stage:
    def __init__(self) -> None:
        self.port = 0
        self._entered: dict[int, asyncio.Queue[Actor]] = defaultdict(asyncio.Queue)
        self._writers: list[StreamWriter] = []

    def command(self, index: int) -> Sequence[str]:
        """What a supervisor starts."""
        return (sys.executable, "-P", str(Path(stand_in.__file__)), str(self.port), str(index))

    async def next(self, index: int) -> Actor:
        """The next life of the worker ``index``, as soon as it has begun."""
        async with asyncio.timeout(_TIMEOUT_S):
            return await self._entered[index].get()

    def is_empty(self, index: int) -> bool:
        """Whether no life of the worker has begun that nobody asked for."""
        return self._entered[index].empty()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self._enter, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield
        finally:
            for writer in self._writers:
                writer.close()
            server.close()
            await server.wait_closed()

    async def _enter(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._writers.append(writer)
        index, pid = (await reader.readline()).split()
        self._entered[int(index)].put_nowait(Actor(int(pid), reader, writer))
