"""The consumer for which a stream's shards are subscribed to."""

import asyncio

from connectors.base import Clock, RefusedError, TransientError
from connectors.kinesis.answers import ConsumerAnswer
from connectors.kinesis.api import StreamApi
from connectors.kinesis.faults import BusyError, LimitError, MissingError

_LOOK_S = 1.0
_READY_S = 300.0
_LIMIT_TRIES = 3


class NoRoomError(RefusedError):
    """The stream has as many consumers as it may have."""


class StreamConsumer:
    """One consumer of one stream, registered where it is missing and kept: the next start finds it.

    ``named`` is its name, or its ARN: that one is used as it is, never registered and never removed.
    """

    def __init__(self, named: str, stream_arn: str, api: StreamApi, clock: Clock) -> None:
        self._named = named
        self._stream_arn = stream_arn
        self._api = api
        self._clock = clock
        self._is_given = named.startswith("arn:")
        self._arn: str | None = None
        self._looking = asyncio.Lock()

    async def register(self) -> None:
        """Make sure that it is there, ready or not.

        Raises ``NoRoomError`` where the stream has no room for it, ``RefusedError`` for an ARN of nobody, and what the
        calls raise.
        """
        if await self.described() is None:
            await self._registered()

    async def arn(self) -> str:
        """Its ARN, once it can be subscribed for. Raises as ``register``, and ``TransientError`` after 5 minutes."""
        async with self._looking:
            if self._arn is None:
                self._arn = await self._ready()
            return self._arn

    def lost(self, arn: str) -> None:
        """The server does not know ``arn``: whoever asks next gets it registered anew."""
        if self._arn == arn:
            self._arn = None

    async def described(self) -> ConsumerAnswer | None:
        """It as it is; None where it is not registered. Raises as ``register``."""
        named = {"ConsumerARN": self._named}
        if not self._is_given:
            named = {"StreamARN": self._stream_arn, "ConsumerName": self._named}
        try:
            return await self._api.describe_consumer(named)
        except MissingError as error:
            if self._is_given:
                hint = "register it, or give a name alone in source.kinesis.fan_out_consumer"
                raise RefusedError(f"use consumer {self._named}", error.cause, hint) from error
            return None

    async def remove(self) -> ConsumerAnswer | None:
        """Deregister it. What it was; None where there was none. Raises what the calls raise."""
        if self._is_given:
            hint = "whoever registered it removes it"
            raise RefusedError(f"remove consumer {self._named}", "it is given by its ARN", hint)
        shown = await self.described()
        if shown is not None:
            await self._api.deregister_consumer(shown.consumer_arn)
        return shown

    async def _ready(self) -> str:
        started = self._clock.monotonic()
        while self._clock.monotonic() - started < _READY_S:
            shown = await self.described()
            if shown is None:
                await self._registered()
            elif shown.consumer_status == "ACTIVE":
                return shown.consumer_arn
            await self._clock.sleep(_LOOK_S)
        raise TransientError(f"use consumer {self._named} of {self._api.target}", f"not ACTIVE after {_READY_S:g} s")

    async def _registered(self) -> None:
        """Another process that registers it at the same time does as well."""
        for tried in range(1, _LIMIT_TRIES + 1):
            try:
                await self._api.register_consumer(self._stream_arn, self._named)
            except BusyError:
                return
            except LimitError as error:
                # Also where many are registered at once, or asked for too fast: those limits pass.
                if tried == _LIMIT_TRIES:
                    hint = "remove one; or set source.kinesis.fan_out_fallback to polling"
                    raise NoRoomError(error.operation, error.cause, hint) from error
                await self._clock.sleep(_LOOK_S)
            else:
                return
