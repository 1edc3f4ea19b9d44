"""Frames of AWS's event stream encoding, as a server writes them."""

import struct
import zlib
from collections.abc import Mapping

_TEXT = 7


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One frame, its checks right."""
    head = b"".join(_header(name, value) for name, value in headers.items())
    checked = prelude(12 + len(head) + len(payload) + 4, len(head)) + head + payload
    return checked + struct.pack("!I", zlib.crc32(checked))


def prelude(size: int, headers: int) -> bytes:
    """The beginning of a frame of ``size`` bytes."""
    lengths = struct.pack("!II", size, headers)
    return lengths + struct.pack("!I", zlib.crc32(lengths))


def event_frame(payload: bytes, kind: str = "SubscribeToShardEvent") -> bytes:
    return frame({":message-type": "event", ":event-type": kind, ":content-type": "application/json"}, payload)


def exception_frame(code: str) -> bytes:
    return frame({":message-type": "exception", ":exception-type": code}, b'{"message": "as told"}')


def _header(name: str, value: str) -> bytes:
    return struct.pack("!B", len(name)) + name.encode() + struct.pack("!BH", _TEXT, len(value)) + value.encode()
