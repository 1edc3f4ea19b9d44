"""Finds the records in the data of Kinesis records, by the markers that codecs and producers write."""

import sys
from typing import Literal

from connectors.codecs import envelope, kpl, kpl_codec
from connectors.codecs.compression import GZIP_MAGIC, ZSTD_MAGIC, Decompressor
from connectors.codecs.decoded import Decoded, memory_of

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
        if self._aggregates and (aggregate := kpl.decode(data)) is not None:
            return self._unpacked(aggregate, first, room)
        if self._envelopes and (decoded := envelope.restored(data, self._decompressor)) is not None:
            return decoded
        if self._compressed and (value := self._decompressor.recognised(data)) is not None:
            return Decoded([key], [value], [None], [()])
        return None

    def _unpacked(self, aggregate: kpl.Aggregate, first: int, room: int) -> Decoded:
        decoded = Decoded([], [], [], [], aggregate)
        for index in range(first, len(aggregate.keys)):
            key, value, time, headers = kpl_codec.restored(aggregate, index, self._decompressor)
            # Without a time of its own a record is a native producer's.
            if self._compressed and time is None and value is not None:
                undone = self._decompressor.recognised(value)
                value = value if undone is None else undone
            decoded.keys.append(key)
            decoded.values.append(value)
            decoded.timestamps_ms.append(time)
            decoded.headers.append(headers)
            room -= memory_of(value, headers)
            if room <= 0:
                break
        return decoded
