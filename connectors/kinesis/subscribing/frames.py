"""The frames of a long answer, and the events in them. Source: the AWS event stream encoding of Smithy."""

import zlib

import msgspec
from botocore.eventstream import EventStreamBuffer, EventStreamMessage, ParserError

from connectors.base import ConnectorError, TransientError
from connectors.kinesis.answers import SUBSCRIBE_TO_SHARD_EVENT, SubscribeToShardEvent
from connectors.kinesis.faults import Told, fault
from connectors.kinesis.long_answer import LongAnswer

_OPERATION = "SubscribeToShard"
LARGEST_FRAME = 24 * 1024 * 1024
"""Bytes, as botocore takes them at the most; those of AWS stay far below."""
_PRELUDE = 12
"""Bytes: the lengths of the frame and of its headers, and a check of both."""


class Frames:
    """Reads one frame at a time, and none before it is asked to: what is not read stays with the server."""

    def __init__(self, answer: LongAnswer, target: str) -> None:
        self._answer = answer
        self._target = target
        self._prelude = b""

    async def announced(self) -> int | None:
        """Wait for the next frame. How many bytes it has; None where the server has ended the answer.

        Raises ``TransientError`` for what is no frame: nothing of that length is waited for.
        """
        self._prelude = prelude = await self._answer.exactly(_PRELUDE)
        if not prelude:
            return None
        if zlib.crc32(prelude[:8]) != int.from_bytes(prelude[8:]):
            raise self._broken("its lengths do not agree with their check")
        return int.from_bytes(prelude[:4])

    async def event(self) -> SubscribeToShardEvent | None:
        """What is in the frame that is announced; None where that is no news of the shard.

        Raises the error that it tells of, and ``TransientError`` for a frame that is none.
        """
        prelude, self._prelude = self._prelude, b""
        rest = await self._answer.exactly(max(0, int.from_bytes(prelude[:4]) - _PRELUDE))
        message = self._parsed(prelude + rest)
        kind = message.headers.get(":message-type")
        if kind != "event":
            raise self._told(message)
        if message.headers.get(":event-type") != "SubscribeToShardEvent":
            return None
        try:
            return SUBSCRIBE_TO_SHARD_EVENT.decode(message.payload)
        except msgspec.DecodeError as error:
            raise self._broken(str(error)) from error

    def _parsed(self, frame: bytes) -> EventStreamMessage:
        buffer = EventStreamBuffer()
        buffer.add_data(frame)
        try:
            return next(buffer)
        except (ParserError, StopIteration) as error:
            raise self._broken(str(error) or "it ends in the midst of a frame") from error

    def _told(self, message: EventStreamMessage) -> ConnectorError:
        """The error in a frame: of the API, by the name of its exception, or of the transport, by a code."""
        headers = message.headers
        code = headers.get(":exception-type") or headers.get(":error-code") or "InternalFailure"
        try:
            told = msgspec.json.decode(message.payload or b"{}", type=Told)
        except msgspec.DecodeError:
            told = Told()
        text = told.message or headers.get(":error-message", "")
        return fault(_OPERATION, self._target, 400, code, text)

    def _broken(self, cause: str) -> TransientError:
        return TransientError(f"{_OPERATION} at {self._target}", f"not an event: {cause}", "check endpoint_url")
