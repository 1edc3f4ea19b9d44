"""How a worker tells its supervisor where it stands, and how it learns what it shall do, and that it shall end.

The channel is one end of a pair of sockets, the worker's standard input. The worker writes reports, and replies to
orders. The supervisor writes orders, and closes its direction to ask for a drain. The system does the same for one that
was killed, so that no worker outlives its supervisor by more than a drain; and a signal that reaches some processes
twice forces nobody.
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
import structlog

from bridge.control.order import Answer, Control, Order
from bridge.control.refusal import REFUSALS, Refusal
from bridge.engine.status import MirrorStatus
from bridge.errors import UsageError
from bridge.telemetry.counters import Counts
from bridge.telemetry.observed import ObservedMirror

log = structlog.get_logger(__name__)

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


@dataclass(frozen=True, slots=True)
class Reply:
    """To the order of this number: its answer, or why there is none."""

    number: int
    answer: Answer | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True)
class FromWorker:
    """One of the two."""

    report: Report | None = None
    reply: Reply | None = None


@dataclass(frozen=True, slots=True)
class ToWorker:
    """An order to one of its lanes."""

    number: int
    """Of no other order in the life of the worker."""
    order: Order


@asynccontextmanager
async def reporting(observed: ObservedMirror, control: Control, drain: Callable[[], None]) -> AsyncIterator[None]:
    """Report at once, then every ``INTERVAL_S``, and a last time on leaving; let ``control`` carry out orders.

    ``drain`` is called once the supervisor asks for it or is gone. Raises ``UsageError`` where there is no channel.
    """
    reader, writer = await asyncio.open_connection(sock=_own_end())
    tasks = [
        asyncio.create_task(_report(observed, writer), name="reports"),
        asyncio.create_task(_heed(reader, writer, control, drain), name="supervisor"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await _report_last(observed, writer)


async def from_worker(reader: StreamReader) -> AsyncIterator[FromWorker]:
    """What a worker tells, until its process ends. Raises ``msgspec.MsgspecError`` for what is nothing of the kind."""
    decoder = msgspec.msgpack.Decoder(FromWorker)
    async for document in _documents(reader):
        yield decoder.decode(document)


def framed(message: FromWorker | ToWorker) -> bytes:
    """``message`` as it is written to the channel."""
    document = msgspec.msgpack.encode(message)
    return len(document).to_bytes(_SIZE_BYTES) + document


async def _documents(reader: StreamReader) -> AsyncIterator[bytes]:
    while True:
        try:
            size = int.from_bytes(await reader.readexactly(_SIZE_BYTES))
            document = await reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        yield document


def _own_end() -> socket.socket:
    if not stat.S_ISSOCK(os.fstat(_STANDARD_INPUT).st_mode):
        raise UsageError("run as a worker", "there is no supervisor", "use --workers N, which starts both")
    return socket.fromfd(_STANDARD_INPUT, socket.AF_UNIX, socket.SOCK_STREAM)


async def _report(observed: ObservedMirror, writer: StreamWriter) -> None:
    with suppress(ConnectionError):
        while True:
            writer.write(_report_now(observed))
            await writer.drain()
            await asyncio.sleep(INTERVAL_S)


async def _report_last(observed: ObservedMirror, writer: StreamWriter) -> None:
    try:
        async with asyncio.timeout(_LAST_REPORT_S):
            writer.write(_report_now(observed))
            writer.close()
            await writer.wait_closed()
    except (ConnectionError, TimeoutError):
        writer.transport.abort()


async def _heed(reader: StreamReader, writer: StreamWriter, control: Control, drain: Callable[[], None]) -> None:
    decoder = msgspec.msgpack.Decoder(ToWorker)
    async with asyncio.TaskGroup() as tasks:
        async for document in _documents(reader):
            tasks.create_task(_carry_out(decoder.decode(document), writer, control), name="order")
        drain()


async def _carry_out(asked: ToWorker, writer: StreamWriter, control: Control) -> None:
    try:
        reply = Reply(asked.number, await control.carry_out(asked.order))
    except REFUSALS as error:
        reply = Reply(asked.number, refusal=Refusal.of(error))
    except Exception as error:  # noqa: BLE001 - a bug in an order must not end the mirror, nor keep it from a drain
        # In a thread, for a traceback is put together from files.
        await asyncio.to_thread(log.error, "an order failed", exc_info=error)
        reply = Reply(asked.number)
    writer.write(framed(FromWorker(reply=reply)))


def _report_now(observed: ObservedMirror) -> bytes:
    return framed(FromWorker(Report(observed.status(), observed.counts())))
