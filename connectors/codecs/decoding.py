"""Finds the records in the data of Kinesis records, by the markers that codecs and producers write."""

from typing import Literal

from connectors.codecs import envelope, kpl, kpl_codec
from connectors.codecs.compression import GZIP_MAGIC, ZSTD_MAGIC, Decompressor
from connectors.codecs.decoded import Decoded

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

    def decode(self, key: bytes | None, data: bytes) -> Decoded | None:
        """The records in ``data``, whose partition key is ``key``; None when it is plain, one record as it stands."""
        if self._aggregates and (aggregate := kpl.decode(data)) is not None:
            return self._unpacked(aggregate)
        if self._envelopes and (decoded := envelope.restored(data, self._decompressor)) is not None:
            return decoded
        if self._compressed and (value := self._decompressor.recognised(data)) is not None:
            return Decoded([key], [value], [None], [()])
        return None

    def _unpacked(self, aggregate: kpl.Aggregate) -> Decoded:
        decoded = kpl_codec.restored(aggregate, self._decompressor)
        if self._compressed:
            for index, time in enumerate(decoded.timestamps_ms):
                # Without a time of its own a record is a native producer's.
                if time is None:
                    value = aggregate.values[index]
                    undone = self._decompressor.recognised(value)
                    decoded.values[index] = value if undone is None else undone
        return decoded
