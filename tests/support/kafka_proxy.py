"""A TCP proxy before a Kafka broker, which cuts connections and swallows acknowledgements on request."""

import asyncio
import struct
from collections.abc import Collection
from contextlib import suppress
from enum import IntEnum
from types import TracebackType
from typing import Self

from tests.support.loop_thread import LoopThread
from tests.support.ports import HOST

_LENGTH = struct.Struct(">i")
_REQUEST = struct.Struct(">hhi")  # kind of request, its version, its number, which the answer repeats


class Api(IntEnum):
    """The kinds of request that harm can be aimed at, by the numbers of Kafka's protocol."""

    PRODUCE = 0
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    TXN_OFFSET_COMMIT = 28


class KafkaProxy:
    """Passes requests and answers on while entered, in a thread of its own.

    Clients come back to it only where the broker advertises this address; see ``KafkaBroker``.
    """

    def __init__(self, port: int) -> None:
        """``port`` is the broker's."""
        self._target = port
        self._thread: LoopThread | None = None
        self._server: asyncio.Server | None = None
        self._links: set[_Link] = set()
        self.flows = asyncio.Event()
        self.flows.set()
        self.to_swallow = 0
        """So many of the next acknowledgements never reach their client, whose connection is cut instead."""
        self.swallows_of: Collection[Api] = (Api.PRODUCE,)
        """Which requests' answers count as such."""
        self.stall_at: Api | None = None
        """The next request of this kind stalls everything, and is the first to go on after ``resume``."""
        self.swallowed = 0
        self.cuts = 0
        """Connections that were cut, those with a swallowed acknowledgement included."""

    def __enter__(self) -> Self:
        self._thread = LoopThread("kafka proxy")
        self._server = self._thread.run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None and self._server is not None:
            self._thread.loop.call_soon_threadsafe(self._server.close)
            self._thread.close()

    @property
    def port(self) -> int:
        if self._server is None:
            raise RuntimeError("the proxy is not entered")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def cut(self) -> None:
        """End every connection that there is."""
        if self._thread is not None:
            self._thread.run(self._cut())

    def stall(self) -> None:
        """Let no request reach the broker until ``resume``; those of a connection that is cut meanwhile never do."""
        if self._thread is not None:
            self._thread.loop.call_soon_threadsafe(self.flows.clear)

    def resume(self) -> None:
        if self._thread is not None:
            self._thread.loop.call_soon_threadsafe(self.flows.set)

    async def _open(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, HOST, 0)

    async def _cut(self) -> None:
        for link in tuple(self._links):
            self.cuts += 1
            link.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await asyncio.open_connection(HOST, self._target)
        except OSError:
            writer.transport.abort()
            return
        link = _Link(self, (reader, writer), there)
        self._links.add(link)
        try:
            await link.run()
        finally:
            link.abort()
            self._links.discard(link)

    def spare(self) -> None:
        """Do no more harm."""
        self.to_swallow = 0
        self.swallows_of = (Api.PRODUCE,)
        self.stall_at = None
        self.resume()

    def hear(self, kind: int) -> None:
        """A request of this kind is about to be passed on."""
        if kind == self.stall_at:
            self.stall_at = None
            self.flows.clear()

    def swallows(self) -> bool:
        """Whether the acknowledgement at hand is to be lost."""
        if self.to_swallow <= 0:
            return False
        self.to_swallow -= 1
        self.swallowed += 1
        self.cuts += 1
        return True


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Link:
    """One client's connection and the one behind it."""

    def __init__(self, proxy: KafkaProxy, client: _Stream, broker: _Stream) -> None:
        self._proxy = proxy
        self._client = client
        self._broker = broker
        self._harmable: set[int] = set()

    async def run(self) -> None:
        """Pass frames on both ways until either side ends, or an answer is swallowed."""
        ways = [asyncio.create_task(self._requests()), asyncio.create_task(self._answers())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    def abort(self) -> None:
        for _, writer in (self._client, self._broker):
            writer.transport.abort()

    async def _requests(self) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(self._client[0])
                kind, _, number = _REQUEST.unpack_from(frame)
                self._proxy.hear(kind)
                await self._proxy.flows.wait()
                if kind in self._proxy.swallows_of:
                    self._harmable.add(number)
                await _pass_on(self._broker[1], frame)

    async def _answers(self) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                frame = await _frame(self._broker[0])
                number = _LENGTH.unpack_from(frame)[0]
                if number in self._harmable:
                    self._harmable.discard(number)
                    if self._proxy.swallows():
                        return
                await _pass_on(self._client[1], frame)


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    return await reader.readexactly(length)


async def _pass_on(writer: asyncio.StreamWriter, frame: bytes) -> None:
    writer.write(_LENGTH.pack(len(frame)) + frame)
    await writer.drain()
