"""Opening a stream, for whoever reads it or writes to it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

from connectors.base import Clock, Observer, RefusedError, TransientError, UnreachableError
from connectors.kinesis.api import StreamApi
from connectors.kinesis.backoff import Backoff
from connectors.kinesis.client import Caller, Connection
from connectors.kinesis.faults import MissingError
from connectors.kinesis.shards import ShardDirectory
from connectors.kinesis.summary import StreamWatch

Connect = Callable[[Connection, Clock], AbstractAsyncContextManager[Caller]]

_ENTER_S = 22.0
_ENTER_TRIES = 3


@dataclass(frozen=True, slots=True)
class OpenStream:
    """A stream that has been seen: its summary and its shards are known."""

    api: StreamApi
    directory: ShardDirectory
    watch: StreamWatch


@asynccontextmanager
async def open_stream(
    connection: Connection, clock: Clock, random: Random, observer: Observer, connect: Connect
) -> AsyncIterator[OpenStream]:
    """The stream for as long as the context is entered. Raises on entering as ``Connector`` promises."""
    async with AsyncExitStack() as opened:
        try:
            async with asyncio.timeout(_ENTER_S):
                caller = await opened.enter_async_context(connect(connection, clock))
                api = StreamApi(caller, connection.stream)
                stream = OpenStream(
                    api, ShardDirectory(api, clock, random, observer), StreamWatch(api, clock, observer)
                )
                await _look(stream, Backoff(clock, random))
        except TimeoutError as error:
            where = connection.endpoint_url or f"Kinesis in {connection.region}"
            raise UnreachableError(
                f"open stream {connection.stream.name} at {where}",
                f"no answer within {_ENTER_S:g} s",
                "check endpoint_url, the region and the network",
            ) from error
        yield stream


async def _look(stream: OpenStream, backoff: Backoff) -> None:
    async def look() -> None:
        await stream.watch.open()
        await stream.directory.fresh()

    try:
        await in_few_tries(look, backoff)
    except MissingError as error:
        raise RefusedError(
            f"open {stream.api.target}",
            error.cause,
            "check the stream's name and the region; ARN for another account",
        ) from error


async def in_few_tries(call: Callable[[], Awaitable[None]], backoff: Backoff) -> None:
    """``call``, and again after a fault that may pass. Raises ``UnreachableError`` where it did not."""
    while True:
        try:
            return await call()
        except TransientError as error:
            if isinstance(error, UnreachableError) or backoff.failures + 1 >= _ENTER_TRIES:
                raise UnreachableError(error.operation, error.cause, error.hint) from error
            await backoff.wait()
