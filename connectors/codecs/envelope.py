"""Records as JSON documents, for consumers that do not know the KPL. Nothing is lost.

A document begins with ``MARKER``. Text in UTF-8 stands there as text, other bytes as ``{"base64": …}``, and what is
not there as ``null``. Specification: docs/codecs.md.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import DecodeError, Meta, Struct
from msgspec.json import Decoder, Encoder

from connectors.base import ORIGIN_HEADER, Batch, Header, Rejected
from connectors.codecs.codec import Codec, Encode
from connectors.codecs.compression import Compressor, Decompressor
from connectors.codecs.decoded import Decoded, memory_of
from connectors.codecs.keys import partition_keys

MARKER = b'{"kmbridge":1,'
"""The first bytes of every envelope, without any space."""


class Binary(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Bytes that are no text. On the wire ``base64`` is padded base64 (RFC 4648)."""

    base64: bytes


Content = str | Binary | None
"""A key, a value or the value of a header."""


class Envelope(Struct, rename={"origins": ORIGIN_HEADER}, omit_defaults=True, gc=False, forbid_unknown_fields=True):
    """The document, its fields in their order."""

    kmbridge: Literal[1]
    timestamp: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    """Milliseconds since the epoch."""
    key: Content
    value: Content
    compression: str | None = None
    """How ``value`` is compressed: ``gzip`` or ``zstd``."""
    headers: list[tuple[str, Content] | str] = []
    """Name and value of each in order. An entry that is only a name: the next of ``origins`` stands here."""
    origins: list[str] = []
    """The values of all headers of this name that are text, oldest first; those with no place follow the others."""


_LARGEST_ESCAPE = 6
"""Bytes of one of text in JSON: a control character is ``\\u0000``. Base64 takes less."""
_LARGEST_FRAME = 64
"""Bytes about a header."""
_LARGEST_EMPTY = 512
"""Bytes of an envelope of nothing, and of the surrogate of a key."""

_ENCODER = Encoder()
_DECODER = Decoder(Envelope)


class EnvelopeCodec(Codec):
    """Writes what ``restored`` reads."""

    def __init__(self, compressor: Compressor | None = None) -> None:
        self._compressor = compressor

    @property
    def carries_origins(self) -> bool:
        return True

    @property
    def packs(self) -> bool:
        return False

    def refusals(self, batch: Batch) -> tuple[Rejected, ...]:
        return ()

    def partition_keys(self, batch: Batch) -> Sequence[str]:
        return partition_keys(batch)

    def encoder(self, batch: Batch) -> Encode:
        keys, values, times = batch.keys, batch.values, batch.timestamps_ms
        headers, origins = batch.headers, batch.origins
        compressor = self._compressor

        def encode(index: int) -> bytes:
            value = values[index]
            compression = None
            if compressor is not None and value is not None and (smaller := compressor.smaller(value)) is not None:
                value, compression = smaller, compressor.name
            envelope = Envelope(1, times[index], _content(keys[index]), _content(value), compression)
            if headers is not None and headers[index]:
                envelope.headers, envelope.origins = _split(headers[index])
            if origins is not None:
                envelope.origins = [*envelope.origins, origins[index].decode()]
            return _ENCODER.encode(envelope)

        return encode

    def entry(self, partition_key: str, parts: Sequence[bytes]) -> bytes:
        (part,) = parts
        return part

    def largest(self, size: int, headers: int) -> int:
        return _LARGEST_ESCAPE * size + _LARGEST_FRAME * headers + _LARGEST_EMPTY


def restored(data: bytes, decompressor: Decompressor) -> Decoded | None:
    """The record that ``EnvelopeCodec`` wrote as ``data``; None when it is no envelope, whatever bytes it holds."""
    if not data.startswith(MARKER):
        return None
    try:
        envelope = _DECODER.decode(data)
        key, value, headers = _bytes(envelope.key), _bytes(envelope.value), _joined(envelope)
    except (DecodeError, ValueError, RecursionError, StopIteration):
        return None
    if envelope.compression is not None:
        value = decompressor.undo(envelope.compression, value) if value is not None else None
        if value is None:
            return None
    return Decoded([key], [value], [envelope.timestamp], [headers], memory_of(value, headers))


def _content(data: bytes | None) -> Content:
    if data is None:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Binary(data)


def _bytes(content: Content) -> bytes | None:
    if content is None:
        return None
    return content.encode() if isinstance(content, str) else content.base64


def _split(headers: tuple[Header, ...]) -> tuple[list[tuple[str, Content] | str], list[str]]:
    """``Envelope.headers`` and ``Envelope.origins`` of a record."""
    others: list[tuple[str, Content] | str] = []
    origins: list[str] = []
    for name, data in headers:
        content = _content(data)
        if name == ORIGIN_HEADER and isinstance(content, str):
            others.append(name)
            origins.append(content)
        else:
            others.append((name, content))
    while others and others[-1] == ORIGIN_HEADER:
        others.pop()
    return others, origins


def _joined(envelope: Envelope) -> tuple[Header, ...]:
    """The headers of a record again. Raises ``StopIteration`` or ``ValueError`` for what is never written."""
    origins = iter(envelope.origins)
    headers: list[Header] = []
    for entry in envelope.headers:
        if isinstance(entry, tuple):
            headers.append((entry[0], _bytes(entry[1])))
        elif entry == ORIGIN_HEADER:
            headers.append((ORIGIN_HEADER, next(origins).encode()))
        else:
            raise ValueError(f"not a header: {entry!r}")
    return (*headers, *((ORIGIN_HEADER, origin.encode()) for origin in origins))
