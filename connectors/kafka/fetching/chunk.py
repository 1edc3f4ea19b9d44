"""A stretch of one partition as it was fetched, taken out of librdkafka's messages column by column."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar, cast

from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message

from connectors.base import HEADER_OVERHEAD, RECORD_OVERHEAD, Header, Position

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Chunk:
    """Columns as those of a ``Batch``; all empty where only the partition's end was met."""

    start: int
    """The offset from which it was fetched; that of the first record may be larger."""
    following: int
    """The offset at which reading goes on behind it."""
    positions: Sequence[Position] = ()
    keys: Sequence[bytes | None] = ()
    values: Sequence[bytes | None] = ()
    timestamps_ms: Sequence[int] = ()
    headers: Sequence[tuple[Header, ...]] | None = None
    size: int = 0
    """Bytes of keys and values."""
    memory: int = 0
    """Bytes that it takes here, roughly."""
    watermark_ms: int | None = None
    """What arrived before this time stands in it or before it, where that is known."""
    end: int | None = None
    """Where the partition ended for its readers when this was fetched, where that is known."""

    def __len__(self) -> int:
        return len(self.positions)


def chunk_of(messages: Sequence[Message], start: int, end: int | None, now_ms: int) -> Chunk:
    """The records of ``messages``, all of one partition and none of them an event. None is kept alive by it.

    A record without a time, as brokers before 0.10 stored them, gets ``now_ms``.
    """
    offsets = cast("list[int]", list(map(Message.offset, messages)))
    keys = cast("list[bytes | None]", list(map(Message.key, messages)))
    values = cast("list[bytes | None]", list(map(Message.value, messages)))
    times = [time for _, time in map(Message.timestamp, messages)]
    if min(times) <= 0:
        times = [time if time > 0 else now_ms for time in times]
    size = sum(map(len, filter(None, keys))) + sum(map(len, filter(None, values)))
    headers, headers_size = _headers(messages)
    appended = messages[-1].timestamp()[0] == TIMESTAMP_LOG_APPEND_TIME
    return Chunk(
        start,
        offsets[-1] + 1,
        list(map(str, offsets)),
        keys,
        values,
        times,
        headers,
        size,
        size + headers_size + RECORD_OVERHEAD * len(offsets),
        times[-1] if appended else None,
        end,
    )


def together(chunks: Sequence[Chunk]) -> Chunk:
    """Chunks that follow each other as one."""
    if len(chunks) == 1:
        return chunks[0]
    last = chunks[-1]
    headers = None
    if any(chunk.headers is not None for chunk in chunks):
        headers = _joined(chunk.headers if chunk.headers is not None else [()] * len(chunk) for chunk in chunks)
    return Chunk(
        chunks[0].start,
        last.following,
        _joined(chunk.positions for chunk in chunks),
        _joined(chunk.keys for chunk in chunks),
        _joined(chunk.values for chunk in chunks),
        _joined(chunk.timestamps_ms for chunk in chunks),
        headers,
        sum(chunk.size for chunk in chunks),
        sum(chunk.memory for chunk in chunks),
        last.watermark_ms,
        last.end,
    )


def _joined(columns: Iterable[Sequence[T]]) -> list[T]:
    return list(chain.from_iterable(columns))


def _headers(messages: Sequence[Message]) -> tuple[list[tuple[Header, ...]] | None, int]:
    """The column of headers and its size in memory; None where no record has any."""
    found = list(map(Message.headers, messages))
    if not any(found):
        return None, 0
    # The stub also allows what only producing takes.
    column = [tuple(cast("list[Header]", headers)) if headers else () for headers in found]
    each = chain.from_iterable(column)
    return column, sum(HEADER_OVERHEAD + len(name) + len(text or b"") for name, text in each)
