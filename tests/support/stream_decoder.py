"""What our codecs wrote, read by their written specification alone: docs/codecs.md. Knows nothing of the product."""

import json
import zlib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5
from typing import Any

import zstandard

Headers = tuple[tuple[str, bytes | None], ...]

_MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST_SIZE = 16
_ENVELOPE = b'{"kmbridge":1,'
_ORIGIN = "kmbridge-origin"
_HEADERS_OF_OURS = (_ORIGIN, "kmbridge-replay")
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Decoded:
    """A record as it was before it was written; ``timestamp_ms`` is None where the data does not tell."""

    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None = None
    headers: Headers = ()


def decode(key: str, data: bytes) -> list[Decoded]:
    """The records in one Kinesis record with partition key ``key``.

    Raises ``ValueError`` where data with one of our markers is not as specified: a test's stream holds nothing else.
    """
    if data.startswith(_MAGIC):
        return _aggregate(data)
    if data.startswith(_ENVELOPE):
        return [_envelope(json.loads(data))]
    return [Decoded(key.encode(), data)]


def _aggregate(data: bytes) -> list[Decoded]:
    body = data[len(_MAGIC) : -_DIGEST_SIZE]
    if md5(body, usedforsecurity=False).digest() != data[-_DIGEST_SIZE:]:
        raise ValueError("an aggregate with a wrong MD5")
    message = list(_fields(body))
    keys = [content for number, content in message if number == 1]
    return [_user_record(keys, content) for number, content in message if number == 3 and isinstance(content, bytes)]


def _user_record(keys: list[Any], content: bytes) -> Decoded:
    fields = list(_fields(content))
    single = {number: value for number, value in fields if number != 4}
    tags = [_tag(value) for number, value in fields if number == 4]
    told = dict(tags)
    if "kmbridge-timestamp" not in told:
        return Decoded(keys[single[1]], single[3])
    compression = told.get("kmbridge-compression")
    value = single[3] if compression is None else _decompressed(compression.decode(), single[3])
    return Decoded(
        _true_key(told["kmbridge-key"]) if "kmbridge-key" in told else keys[single[1]],
        None if "kmbridge-null-value" in told else value,
        int(told["kmbridge-timestamp"] or b""),
        tuple(header for name, text in tags for header in _headers(name, text)),
    )


def _tag(content: bytes) -> tuple[str, bytes | None]:
    fields = dict(_fields(content))
    return fields[1].decode(), fields.get(2)


def _true_key(text: bytes | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)


def _headers(name: str, text: bytes | None) -> Headers:
    """The header that a tag stands for; none where it is a tag of another kind."""
    if name in _HEADERS_OF_OURS:
        return ((name, text),)
    kind, _, label = name.partition(":")
    if kind == "kmbridge-h":
        return ((label, text),)
    return ((label, b64decode(text or b"", validate=True)),) if kind == "kmbridge-b" else ()


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and content of a protobuf message's fields: numbers and bytes, as the format has no others."""
    at = 0
    while at < len(message):
        head, at = _varint(message, at)
        content, at = _varint(message, at)
        if head & 7 == 2:
            if at + content > len(message):
                raise ValueError("a field that is longer than its message")
            yield head >> 3, message[at : at + content]
            at += content
        else:
            yield head >> 3, content


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """The number that begins at ``at``, and where it ends."""
    number = shift = 0
    while True:
        octet = message[at]
        number |= (octet & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if octet < 0x80:
            return number, at


def _envelope(document: dict[str, Any]) -> Decoded:
    value = _content(document["value"])
    if "compression" in document:
        value = _decompressed(document["compression"], value or b"")
    origins = iter(document.get(_ORIGIN, ()))
    headers = [
        (_ORIGIN, next(origins).encode()) if entry == _ORIGIN else (entry[0], _content(entry[1]))
        for entry in document.get("headers", ())
    ]
    others = [(_ORIGIN, origin.encode()) for origin in origins]
    return Decoded(_content(document["key"]), value, document["timestamp"], (*headers, *others))


def _content(found: str | dict[str, str] | None) -> bytes | None:
    if isinstance(found, dict):
        return b64decode(found["base64"], validate=True)
    return None if found is None else found.encode()


def _decompressed(compression: str, data: bytes) -> bytes:
    if compression == "gzip":
        return zlib.decompress(data, _GZIP)
    if compression == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    raise ValueError(f"no compression of docs/codecs.md: {compression}")
