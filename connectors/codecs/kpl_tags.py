"""What Kinesis has no place for, as tags of a KPL record: consumers of the KPL do not see them.

The first tag is always ``TIMESTAMP``, and it is what makes a record one of ours; tags of others are left alone. The
headers follow in their order. Tags are text, so what is not text in UTF-8 stands there as base64 (RFC 4648, padded).
Specification: docs/codecs.md.
"""

from binascii import a2b_base64, b2a_base64

from msgspec import Struct

from connectors.base import ORIGIN_HEADER, REPLAY_HEADER, Header
from connectors.codecs.kpl import Tag

TIMESTAMP = b"kmbridge-timestamp"
"""Milliseconds since the epoch, as a decimal number."""
KEY = b"kmbridge-key"
"""The true key, base64, where the partition key is a surrogate; without a value where there is no key."""
NULL_VALUE = b"kmbridge-null-value"
"""No value: there is none, and the data is empty."""
COMPRESSION = b"kmbridge-compression"
"""How the data is compressed: ``gzip`` or ``zstd``."""
ORIGIN = ORIGIN_HEADER.encode()
"""A header of this name whose value is text or null, as all under their own names."""
REPLAY = REPLAY_HEADER.encode()
TEXT_HEADER = b"kmbridge-h:"
"""The name of a header follows, and its value is text or null."""
BINARY_HEADER = b"kmbridge-b:"
"""The name of a header follows, and its value is base64."""

_UNDER_THEIR_OWN_NAME = {ORIGIN: ORIGIN_HEADER, REPLAY: REPLAY_HEADER}
_INT64 = range(-(2**63), 2**63)


class Told(Struct, gc=False):
    """What the tags of a record say about it."""

    timestamp_ms: int
    headers: list[Header]
    key: bytes | None = None
    has_other_key: bool = False
    """Whether ``key`` is to be taken instead of the partition key."""
    is_null: bool = False
    compression: str | None = None


def of_key(key: bytes | None) -> Tag:
    return KEY, None if key is None else b2a_base64(key, newline=False)


def of_header(name: str, value: bytes | None) -> Tag:
    label = name.encode()
    if value is not None and not _is_text(value):
        return BINARY_HEADER + label, b2a_base64(value, newline=False)
    return label if label in _UNDER_THEIR_OWN_NAME else TEXT_HEADER + label, value


def read(tags: tuple[Tag, ...]) -> Told | None:
    """What ``tags`` say; None where the record is not one of ours, or they make no sense."""
    if not tags or tags[0][0] != TIMESTAMP:
        return None
    try:
        return _read(tags)
    except ValueError:
        return None


def _read(tags: tuple[Tag, ...]) -> Told:
    headers: list[Header] = []
    told = Told(_timestamp(tags[0][1]), headers)
    for name, value in tags[1:]:
        own = _UNDER_THEIR_OWN_NAME.get(name)
        if own is not None:
            headers.append((own, value))
        elif name.startswith(TEXT_HEADER):
            headers.append((name[len(TEXT_HEADER) :].decode(), value))
        elif name.startswith(BINARY_HEADER):
            headers.append((name[len(BINARY_HEADER) :].decode(), _unbase64(value)))
        elif name == KEY:
            told.key = None if value is None else _unbase64(value)
            told.has_other_key = True
        elif name == NULL_VALUE:
            told.is_null = True
        elif name == COMPRESSION:
            told.compression = (value or b"").decode()
    return told


def _timestamp(text: bytes | None) -> int:
    number = int(text or b"")
    if number not in _INT64:
        raise ValueError("not a time: more than 64 bits")
    return number


def _unbase64(text: bytes | None) -> bytes:
    return a2b_base64(text or b"", strict_mode=True)


def _is_text(value: bytes) -> bool:
    if value.isascii():
        return True
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True
