"""How a worker tells its supervisor where it stands, and how it learns that it shall end.

The channel is one end of a pair of sockets, the worker's standard input. The worker writes reports. The supervisor
writes nothing: it closes its direction to ask for a drain. The system does the same for one that was killed, so that no
worker outlives its supervisor by more than a drain; and a signal that reaches some processes twice forces nobody.
"""

import asyncio
import os
import socket
import stat
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import msgspec

from bridge.engine.status import MirrorStatus
from bridge.errors import UsageError
from bridge.telemetry.counters import Counts
from bridge.telemetry.observed import ObservedMirror

INTERVAL_S = 1.0
"""Between reports: what a killed worker did since its last one is missing in the totals."""

_STANDARD_INPUT = 0
_LAST_REPORT_S = 2.0
"""A supervisor that hangs does not keep a worker which is done."""

_SIZE_BYTES = 4


@dataclass(frozen=True, slots=True)
class Report:
    """One moment of a worker. Totals count from its process's start."""

    status: MirrorStatus
    counts: Counts


@asynccontextmanager
async def reporting(observed: ObservedMirror, drain: Callable[[], None]) -> AsyncIterator[None]:
    """Report at once, then every ``INTERVAL_S``, and a last time on leaving.

    ``drain`` is called once the supervisor asks for it or is gone. Raises ``UsageError`` where there is no channel.
    """
    reader, writer = await asyncio.open_connection(sock=_own_end())
    tasks = [
        asyncio.create_task(_report(observed, writer), name="reports"),
        asyncio.create_task(_heed(reader, drain), name="supervisor"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await _report_last(observed, writer)


async def reports(reader: StreamReader) -> AsyncIterator[Report]:
    """What a worker tells, until its process ends. Raises ``msgspec.MsgspecError`` for what is no report."""
    decoder = msgspec.msgpack.Decoder(Report)
    while True:
        try:
            size = int.from_bytes(await reader.readexactly(_SIZE_BYTES))
            document = await reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        yield decoder.decode(document)


def _own_end() -> socket.socket:
    if not stat.S_ISSOCK(os.fstat(_STANDARD_INPUT).st_mode):
        raise UsageError("run as a worker", "there is no supervisor", "use --workers N, which starts both")
    return socket.fromfd(_STANDARD_INPUT, socket.AF_UNIX, socket.SOCK_STREAM)


async def _report(observed: ObservedMirror, writer: StreamWriter) -> None:
    with suppress(ConnectionError):
        while True:
            writer.write(_framed(observed))
            await writer.drain()
            await asyncio.sleep(INTERVAL_S)


async def _report_last(observed: ObservedMirror, writer: StreamWriter) -> None:
    try:
        async with asyncio.timeout(_LAST_REPORT_S):
            writer.write(_framed(observed))
            writer.close()
            await writer.wait_closed()
    except (ConnectionError, TimeoutError):
        writer.transport.abort()


async def _heed(reader: StreamReader, drain: Callable[[], None]) -> None:
    with suppress(ConnectionError):
        await reader.read()
    drain()


def _framed(observed: ObservedMirror) -> bytes:
    document = msgspec.msgpack.encode(Report(observed.status(), observed.counts()))
    return len(document).to_bytes(_SIZE_BYTES) + document
