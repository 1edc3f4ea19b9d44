"""A sink for records whose own times it would not keep."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

from connectors.base import Batch, Clock, ConnectorError, Outcome, Rejected, Save, Scope, Setting, Sink


class RestampedSink(Sink):
    """Hands records to ``sink``, which it enters and leaves, with the time of writing instead of their own.

    On this side of the engine: what it remembers of the records that it has read names them by their own times.
    """

    def __init__(self, sink: Sink, clock: Clock) -> None:
        self._sink = sink
        self._clock = clock

    async def __aenter__(self) -> Self:
        await self._sink.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sink.__aexit__(kind, error, trace)

    @property
    def identity(self) -> str:
        return self._sink.identity

    @property
    def address(self) -> str:
        return self._sink.address

    def is_regrown(self, identity: str) -> bool:
        return self._sink.is_regrown(identity)

    async def begin(self) -> Scope:
        return _RestampedScope(await self._sink.begin(), self._clock)

    def too_small_for(self, largest_record: int) -> str:
        return self._sink.too_small_for(largest_record)

    def age_limits(self) -> tuple[Setting, ...]:
        """None: every record is as young as its writing."""
        return ()

    def volume_limits(self) -> tuple[Setting, ...]:
        return self._sink.volume_limits()

    @property
    def carries_origins(self) -> bool:
        return self._sink.carries_origins

    @property
    def trouble(self) -> ConnectorError | None:
        return self._sink.trouble

    def now_ms(self) -> int | None:
        return self._sink.now_ms()

    async def landed(self, source: str, since_ms: Mapping[str, int]) -> Mapping[str, Collection[str]]:
        return await self._sink.landed(source, since_ms)

    async def knows(self, source: str) -> bool:
        return await self._sink.knows(source)

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        return self._sink.inspect(_restamped(batch, self._clock.now_ms()))

    async def look_again(self, lane: str) -> None:
        await self._sink.look_again(lane)


class _RestampedScope(Scope):
    """Dead letters keep their times: they are for people to look at."""

    def __init__(self, scope: Scope, clock: Clock) -> None:
        self._scope = scope
        self._clock = clock

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        return self._scope.submit(lane, _restamped(batch, self._clock.now_ms()))

    def bury(self, lane: str, letter: Batch) -> asyncio.Future[Outcome] | None:
        return self._scope.bury(lane, letter)

    def inspect_letter(self, letter: Batch) -> tuple[Rejected, ...] | None:
        return self._scope.inspect_letter(letter)

    @property
    def waits(self) -> bool:
        return self._scope.waits

    async def commit(self, save: Save) -> None:
        await self._scope.commit(save)

    async def room(self, lane: str) -> None:
        await self._scope.room(lane)

    def withdraw(self, lanes: Collection[str]) -> None:
        self._scope.withdraw(lanes)

    def abort(self) -> None:
        self._scope.abort()


def _restamped(batch: Batch, now_ms: int) -> Batch:
    return replace(batch, timestamps_ms=[now_ms] * len(batch))
