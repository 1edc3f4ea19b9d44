"""Writes batches into one Kinesis stream, each key in order, with nothing lost."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from random import Random
from types import TracebackType
from typing import Self

from connectors.base import (
    Batch,
    Clock,
    ConnectorError,
    Observer,
    RefusedError,
    Rejected,
    Scope,
    Sink,
    TransientError,
)
from connectors.kinesis.backoff import Backoff
from connectors.kinesis.client import Connection, connect
from connectors.kinesis.opening import Connect, OpenStream, open_stream
from connectors.kinesis.settings import KinesisSinkSettings
from connectors.kinesis.stream import StreamName
from connectors.kinesis.writing.delivery import Means
from connectors.kinesis.writing.read_back import ReadBack
from connectors.kinesis.writing.record_size import RecordSize
from connectors.kinesis.writing.scope import KinesisScope
from connectors.kinesis.writing.shard_map import ShardMap
from connectors.kinesis.writing.submission import Landings
from connectors.kinesis.writing.vigil import Confirm, Vigil
from connectors.kinesis.writing.writer import Writer

_LOOK_S = 1.0
_DATE_MS = 1_000
"""What a Date header is precise to."""


class KinesisSink(Sink):
    """Records go to the shard that their key's hash names, as those of every other producer.

    At most one entry of a key is out at any time, so no failure of some entries of a call swaps two records of a key.
    """

    def __init__(
        self,
        settings: KinesisSinkSettings,
        clock: Clock,
        random: Random,
        observer: Observer,
        confirm: Confirm,
        connect: Connect = connect,
    ) -> None:
        """``confirm`` is awaited before anything is written after this process did not run for a while."""
        self._settings = settings
        self._clock = clock
        self._random = random
        self._observer = observer
        self._confirm = confirm
        self._connect = connect
        self._open: AsyncExitStack | None = None
        self._stream: OpenStream | None = None
        self._means: Means | None = None
        self._writer: Writer | None = None
        self._keepers: list[asyncio.Task[None]] = []
        self._beginning = asyncio.Lock()

    async def __aenter__(self) -> Self:
        settings = self._settings
        connection = Connection(
            StreamName.of(settings.stream), settings.region, settings.endpoint_url, settings.assume_role_arn
        )
        async with AsyncExitStack() as opened:
            stream = self._stream = await opened.enter_async_context(
                open_stream(connection, self._clock, self._random, self._observer, self._connect)
            )
            self._check_order()
            vigil = Vigil(settings.away_s, self._confirm, self._clock)
            self._means = Means(
                stream.api,
                settings.codec,
                ShardMap(stream.directory.listing, self._clock.monotonic(), limited=settings.endpoint_url is None),
                Landings(self._clock),
                vigil,
                settings.calls_in_flight,
                self._clock,
                self._random,
                self._observer,
                settings.tells_places,
            )
            self._writer = Writer(self._means)
            opened.push_async_callback(self._close)
            for work in (vigil.keep, self._watch):
                task = asyncio.create_task(self._kept(work))
                self._keepers.append(task)
                opened.push_async_callback(_ended, task)
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
    def carries_origins(self) -> bool:
        return self._settings.codec.carries_origins

    @property
    def trouble(self) -> ConnectorError | None:
        return None if self._writer is None else self._writer.trouble

    def now_ms(self) -> int:
        return self._entered.api.server_now_ms() - _DATE_MS

    async def landed(self, source: str, since_ms: Mapping[str, int]) -> Mapping[str, Collection[str]]:
        return await self._read_back().landed(source, since_ms)

    async def knows(self, source: str) -> bool:
        return await self._read_back().knows(source)

    async def begin(self) -> Scope:
        async with self._beginning:
            for keeper in self._keepers:
                if keeper.done():
                    keeper.result()
            if self._writer is None or self._writer.failure is not None:
                self._writer = await self._reopen(self._writer)
            return KinesisScope(self._writer)

    def too_small_for(self, largest_record: int) -> str:
        return RecordSize(self._settings.codec, self._entered.watch.summary).too_small_for(largest_record)

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        return RecordSize(self._settings.codec, self._entered.watch.summary).rejections(batch)

    async def look_again(self, lane: str) -> None:
        await self._entered.watch.look_now()

    @property
    def _entered(self) -> OpenStream:
        if self._stream is None:
            raise RuntimeError("the sink has not been entered")
        return self._stream

    def _read_back(self) -> ReadBack:
        return ReadBack(self._entered, self._clock, self._random, self._observer)

    async def _reopen(self, broken: Writer | None) -> Writer:
        """Another writer once the stream is there as it was. A refusal of the broken one is raised before, once."""
        if broken is not None:
            await broken.settled()
            self._writer = None
            if isinstance(broken.failure, RefusedError):
                raise broken.failure
        if self._means is None:
            raise RuntimeError("the sink has not been entered")
        backoff = Backoff(self._clock, self._random)
        while True:
            try:
                await self._entered.watch.look_now()
                self._check_order()
                self._means.shards.update(await self._entered.directory.fresh(), self._clock.monotonic())
            except TransientError as error:
                self._observer.retried("PutRecords", type(error).__name__)
                await backoff.wait()
            else:
                return Writer(self._means)

    async def _kept(self, work: Callable[[], Awaitable[None]]) -> None:
        """``work`` without end. What ends it breaks the writer, and ``begin`` raises it: nothing is written without."""
        try:
            await work()
        except Exception as error:
            if self._writer is not None:
                self._writer.give_up(TransientError(f"write to {self._entered.api.target}", repr(error)))
            raise

    async def _watch(self) -> None:
        """Break when the stream is not what it was. Follow its shards."""
        while True:
            await self._clock.sleep(_LOOK_S)
            try:
                await self._entered.watch.look()
                self._check_order()
                if self._means is not None and self._means.shards.is_stale:
                    self._means.shards.update(await self._entered.directory.fresh(), self._clock.monotonic())
            except TransientError as error:
                self._observer.retried("ListShards", type(error).__name__)
            except ConnectorError as error:
                if self._writer is not None:
                    self._writer.give_up(error)

    def _check_order(self) -> None:
        """Raises ``RefusedError`` where the stream keeps no order of keys."""
        summary = self._entered.watch.summary
        if summary.automatic:
            raise RefusedError(
                f"write to {self._entered.api.target}",
                "its record distribution strategy is AUTO: records of one key go to any shard, so no order is kept",
                "set it to USER_PARTITION_KEY",
            )

    async def _close(self) -> None:
        if self._writer is not None:
            await self._writer.close()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
