"""A Kinesis stream as a source, read with GetRecords."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime
from random import Random
from types import TracebackType
from typing import Self

from connectors.base import (
    Batch,
    Budget,
    Clock,
    Observer,
    Partition,
    Place,
    RefusedError,
    SettingsError,
    Source,
    TransientError,
    UnreachableError,
)
from connectors.kinesis.api import StreamApi
from connectors.kinesis.backoff import Backoff
from connectors.kinesis.client import Caller, Connection, connect
from connectors.kinesis.faults import MissingError
from connectors.kinesis.order import OrderGuard
from connectors.kinesis.position import iso, milliseconds
from connectors.kinesis.read_size import Average
from connectors.kinesis.settings import KinesisSourceSettings
from connectors.kinesis.shard_reader import ShardReader, Surroundings
from connectors.kinesis.shards import ShardDirectory
from connectors.kinesis.stream import StreamName
from connectors.kinesis.summary import StreamWatch

Connect = Callable[[Connection, Clock], AbstractAsyncContextManager[Caller]]

_ENTER_S = 22.0
_ENTER_TRIES = 3
_LARGEST_KEY = 256 * 4
"""256 characters, in UTF-8."""


class KinesisSource(Source):
    """The shards of one stream. Positions are those of ``connectors.kinesis.position``."""

    def __init__(
        self,
        settings: KinesisSourceSettings,
        clock: Clock,
        random: Random,
        observer: Observer,
        connect: Connect = connect,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._random = random
        self._observer = observer
        self._connect = connect
        self._open: AsyncExitStack | None = None
        self._around: Surroundings | None = None

    async def __aenter__(self) -> Self:
        stream = StreamName.of(self._settings.stream)
        connection = Connection(
            stream, self._settings.region, self._settings.endpoint_url, self._settings.assume_role_arn
        )
        async with AsyncExitStack() as opened:
            try:
                async with asyncio.timeout(_ENTER_S):
                    caller = await opened.enter_async_context(self._connect(connection, self._clock))
                    self._around = await self._checked(StreamApi(caller, stream))
            except TimeoutError as error:
                where = self._settings.endpoint_url or f"Kinesis in {self._settings.region}"
                raise UnreachableError(
                    f"open stream {stream.name} at {where}",
                    f"no answer within {_ENTER_S:g} s",
                    "check endpoint_url, the region and the network",
                ) from error
            self._open = opened.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open is not None:
            await self._open.aclose()

    @property
    def identity(self) -> str:
        return self._entered.watch.summary.identity

    @property
    def address(self) -> str:
        return self._entered.watch.summary.address

    @property
    def largest_record(self) -> int:
        """By the stream's MaxRecordSizeInKiB, which bounds the data; the key comes on top."""
        return self._entered.watch.summary.largest_record + _LARGEST_KEY

    def partitions(self) -> AsyncGenerator[tuple[Partition, ...], None]:
        return self._entered.directory.partitions()

    async def start(self, partitions: Sequence[Partition]) -> Mapping[str, Place]:
        place = await self._first_place()
        return {partition.id: place for partition in partitions}

    def read(self, partition: Partition, after: Place, budget: Budget) -> AsyncGenerator[Batch, None]:
        return ShardReader(partition.id, after, budget, self._entered).batches()

    @property
    def _entered(self) -> Surroundings:
        if self._around is None:
            raise RuntimeError("the source is not entered")
        return self._around

    async def _first_place(self) -> Place:
        """Where to begin, by the server's clock: a time of this machine might lie in the server's future."""
        start = self._settings.start
        if start == "trim_horizon":
            return Place()
        now_ms = (await self._entered.api.describe()).server_ms
        if not isinstance(start, datetime):
            return Place(iso(now_ms), now_ms)
        start_ms = milliseconds(start)
        if start_ms > now_ms:
            raise SettingsError(
                f"start at {iso(start_ms)}", f"it is {iso(now_ms)} at the server", "start: latest begins now"
            )
        return Place(iso(start_ms), start_ms)

    async def _checked(self, api: StreamApi) -> Surroundings:
        """All that readers need, once the stream has been seen. Raises as ``Connector`` promises."""
        around = Surroundings(
            self._settings,
            api,
            ShardDirectory(api, self._clock, self._random, self._observer),
            StreamWatch(api, self._clock, self._observer),
            OrderGuard(),
            Average(),
            self._clock,
            self._random,
            self._observer,
        )
        backoff = Backoff(self._clock, self._random)
        while True:
            try:
                await around.watch.open()
                await around.directory.fresh()
            except MissingError as error:
                raise RefusedError(
                    f"open {api.target}", error.cause, "check the stream's name and the region; ARN for another account"
                ) from error
            except TransientError as error:
                if isinstance(error, UnreachableError) or backoff.failures + 1 >= _ENTER_TRIES:
                    raise UnreachableError(error.operation, error.cause, error.hint) from error
                await backoff.wait()
            else:
                return around
