"""The names of the streams that an account has in a region."""

import asyncio

from msgspec import Struct
from msgspec.json import Decoder

from connectors.base import Clock, UnreachableError
from connectors.kinesis.client import Connection, connect

_ANSWER_S = 25.0


class _ListStreamsAnswer(Struct, rename="pascal"):
    stream_names: list[str]
    has_more_streams: bool = False


_LIST_STREAMS = Decoder(_ListStreamsAnswer)


async def stream_names(connection: Connection, clock: Clock) -> set[str]:
    """All of them. The stream that ``connection`` names needs not exist.

    Raises ``UnreachableError`` without an answer within 25 s, and what ``Caller.call`` raises: the action is
    kinesis:ListStreams.
    """
    names: list[str] = []
    try:
        async with asyncio.timeout(_ANSWER_S), connect(connection, clock) as caller:
            while True:
                behind: dict[str, object] = {"ExclusiveStartStreamName": names[-1]} if names else {}
                page = (await caller.call("ListStreams", behind, _LIST_STREAMS)).value
                names += page.stream_names
                if not page.has_more_streams or not page.stream_names:
                    return set(names)
    except TimeoutError:
        raise UnreachableError("list the streams", f"no answer within {_ANSWER_S:g} s", "check the network") from None
