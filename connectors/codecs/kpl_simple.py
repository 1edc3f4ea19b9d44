"""The short way to read aggregates: of records that have nothing but key, value, time and origin, as most have.

It takes a part of what the protobuf library does, and looks at every byte: what is of any other form is left to that.
"""

from msgspec import Struct

from connectors.base import ORIGIN_HEADER, Header
from connectors.codecs import kpl_tags, kpl_wire

TIME_DIGITS = 13
"""Of every millisecond from 2001 to 2286."""
_TIME_HEAD = kpl_wire.tag_head(kpl_tags.TIMESTAMP, TIME_DIGITS)
_TIME = len(_TIME_HEAD) + TIME_DIGITS
_BEFORE_VALUE = len(kpl_wire.BEFORE_VALUE)
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
        values: list[bytes] = []
        times: list[int] = []
        every: list[tuple[Header, ...]] = []
        heads, is_at = self._origin_heads, body.startswith
        while at < end:
            if body[at] != kpl_wire.RECORD:
                return None
            size, at = body[at + 1], at + 2
            if size > 0x7F:
                size, at = _number(body, at - 1) if body[at] > 0x7F else (size & 0x7F | body[at] << 7, at + 1)
            stop = at + size
            if stop > end or not is_at(kpl_wire.BEFORE_VALUE, at):
                return None
            at += _BEFORE_VALUE
            size, at = body[at], at + 1
            if size > 0x7F:
                size, at = _number(body, at - 1) if body[at] > 0x7F else (size & 0x7F | body[at] << 7, at + 1)
            tags = at + size
            origin = tags + _TIME
            head = heads.get(stop - origin)
            if head is None:
                head = self._origin_head(stop - origin)
            if not (is_at(_TIME_HEAD, tags) and is_at(head, origin)):
                return None
            values.append(body[at:tags])
            times.append(int(body[origin - TIME_DIGITS : origin]))
            every.append(((ORIGIN_HEADER, body[origin + len(head) : stop]),) if head else ())
            at = stop
        return Simple(key, values, times, every)

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
    """The number that begins at ``at`` and has two bytes at least, and what follows it."""
    number = body[at] & 0x7F
    for shift in (7, 14, 21):
        at += 1
        octet = body[at]
        number |= (octet & 0x7F) << shift
        if octet < 0x80:
            return number, at + 1
    raise ValueError("nothing is as long as that")
