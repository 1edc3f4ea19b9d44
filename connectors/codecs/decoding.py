"""Finds the records in the data of Kinesis records, by the markers that codecs and producers write."""

import sys
from typing import Literal

from connectors.base import HEADER_OVERHEAD, RECORD_OVERHEAD, Header
from connectors.codecs import envelope, kpl, kpl_codec
from connectors.codecs.compression import GZIP_MAGIC, ZSTD_MAGIC, Decompressor
from connectors.codecs.decoded import Decoded, memory_of
from connectors.codecs.kpl_simple import Simple, SimpleReader

ReadCodec = Literal["auto", "raw", "kpl", "envelope"]
"""What data is looked through for: ``auto`` takes apart KPL aggregates and envelopes, ``raw`` neither."""

Decompress = Literal["never", "auto"]
"""``auto`` undoes gzip and Zstandard of the stream's own producers. What codecs compressed is undone in any case."""


class Decoder:
    """Decodes one entry after another, whatever bytes they hold. Not for several threads at once."""

    def __init__(self, codec: ReadCodec = "auto", decompress: Decompress = "never") -> None:
        self._aggregates = codec in ("auto", "kpl")
        self._envelopes = codec in ("auto", "envelope")
        self._compressed = decompress == "auto"
        self._decompressor = Decompressor()
        self._simple = SimpleReader()
        self.markers: tuple[bytes, ...] = (
            *((kpl.MAGIC,) if self._aggregates else ()),
            *((envelope.MARKER,) if self._envelopes else ()),
            *((GZIP_MAGIC, ZSTD_MAGIC) if self._compressed else ()),
        )
        """Data that begins with none of these is plain."""

    def decode(self, key: bytes | None, data: bytes, first: int = 0, room: int = sys.maxsize) -> Decoded | None:
        """The records in ``data``, whose partition key is ``key``; None when it is plain, one record as it stands.

        Of an aggregate only those from index ``first`` on, until they take ``room`` bytes of memory, and at least one:
        a few kilobytes may hold any number of compressed values.
        """
        if self._aggregates and (decoded := self._aggregate(data, first, room)) is not None:
            return decoded
        if self._envelopes and (decoded := envelope.restored(data, self._decompressor)) is not None:
            return decoded
        if self._compressed and (value := self._decompressor.recognised(data)) is not None:
            return Decoded([key], [value], [None], [()], memory_of(value, ()))
        return None

    def _aggregate(self, data: bytes, first: int, room: int) -> Decoded | None:
        message = kpl.message(data)
        if message is None:
            return None
        simple = self._simple.read(message) if first == 0 else None
        if simple is not None and (decoded := _as_it_stands(simple, len(message))).memory <= room:
            return decoded
        aggregate = kpl.unpacked(message)
        return None if aggregate is None else self._unpacked(aggregate, first, room)

    def _unpacked(self, aggregate: kpl.Aggregate, first: int, room: int) -> Decoded:
        keys: list[bytes | None] = []
        values: list[bytes | None] = []
        times: list[int | None] = []
        every: list[tuple[Header, ...]] = []
        memory = 0
        for index in range(first, len(aggregate.keys)):
            key, value, time, headers = kpl_codec.restored(aggregate, index, self._decompressor)
            # Without a time of its own a record is a native producer's.
            if self._compressed and time is None and value is not None:
                undone = self._decompressor.recognised(value)
                value = value if undone is None else undone
            keys.append(key)
            values.append(value)
            times.append(time)
            every.append(headers)
            memory += memory_of(value, headers)
            if memory >= room:
                break
        return Decoded(keys, values, times, every, memory, aggregate)


def _as_it_stands(simple: Simple, size: int) -> Decoded:
    """All of an aggregate whose message has ``size`` bytes."""
    count = len(simple.values)
    keys = [simple.key] * count
    aggregate = kpl.Aggregate(keys, simple.values, [None] * count, [])
    memory = size + count * (RECORD_OVERHEAD + HEADER_OVERHEAD)
    return Decoded(keys, simple.values, simple.timestamps_ms, simple.headers, memory, aggregate)
