"""The short way to read aggregates: of records that have nothing but key, value, time and origin, as most have.

It takes a part of what the protobuf library does, and looks at every byte: what is of any other form is left to that.
"""

from msgspec import Struct

from connectors.base import ORIGIN_HEADER, Header
from connectors.codecs import kpl_tags, kpl_wire

TIME_DIGITS = 13
"""Of every millisecond from 2001 to 2286."""
_TIME_HEAD = kpl_wire.tag_head(kpl_tags.TIMESTAMP, TIME_DIGITS)
_LARGEST_ORIGIN = 4096
"""Bytes of its tag."""


class Simple(Struct, frozen=True, gc=False):
    """Records of one partition key, as columns."""

    key: bytes
    values: list[bytes]
    timestamps_ms: list[int]
    headers: list[tuple[Header, ...]]


class SimpleReader:
    """Sizes repeat, so what depends on them is kept."""

    def __init__(self) -> None:
        self._origin_heads: dict[int, bytes] = {0: b""}
        """What stands before an origin, by the size of its tag."""

    def read(self, body: bytes) -> Simple | None:
        """The records of the message ``body``; None where they are not so simple, whatever bytes it holds."""
        try:
            return self._read(body)
        except (IndexError, ValueError):
            return None

    def _read(self, body: bytes) -> Simple | None:
        key_size, end = body[1], len(body)
        at = 2 + key_size
        key = body[2:at]
        if body[0] != kpl_wire.KEY_TABLE or key_size > 0x7F or at > end:
            return None
        found = Simple(key, [], [], [])
        while at < end:
            if body[at] != kpl_wire.RECORD:
                return None
            at += 1
            size = body[at]
            if size > 0x7F:
                size, at = _number(body, at)
            stop = at + 1 + size
            at += 1 + len(kpl_wire.BEFORE_VALUE)
            size = body[at]
            if not body.startswith(kpl_wire.BEFORE_VALUE, at - len(kpl_wire.BEFORE_VALUE)) or stop > end:
                return None
            if size > 0x7F:
                size, at = _number(body, at)
            begin = at + 1
            tags = begin + size
            at = tags + len(_TIME_HEAD) + TIME_DIGITS
            head = self._origin_heads.get(stop - at)
            if head is None:
                head = self._origin_head(stop - at)
            if not (body.startswith(_TIME_HEAD, tags) and body.startswith(head, at)):
                return None
            found.values.append(body[begin:tags])
            found.timestamps_ms.append(int(body[at - TIME_DIGITS : at]))
            found.headers.append(((ORIGIN_HEADER, body[at + len(head) : stop]),) if head else ())
            at = stop
        return found

    def _origin_head(self, tag_size: int) -> bytes:
        """Raises ``ValueError`` where no tag of an origin has that size."""
        if tag_size <= _LARGEST_ORIGIN:
            for size in range(max(0, tag_size - 40), tag_size):
                head = kpl_wire.tag_head(kpl_tags.ORIGIN, size)
                if len(head) + size == tag_size:
                    self._origin_heads[tag_size] = head
                    return head
        raise ValueError(f"not the size of a tag: {tag_size}")


def _number(body: bytes, at: int) -> tuple[int, int]:
    """The number that begins at ``at`` and has two bytes at least, and where its last byte is."""
    number = body[at] & 0x7F
    for shift in (7, 14, 21):
        at += 1
        octet = body[at]
        number |= (octet & 0x7F) << shift
        if octet < 0x80:
            return number, at
    raise ValueError("nothing is as long as that")
