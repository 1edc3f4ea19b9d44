"""Functions as a user writes them, over the records that tests generate: they drop some, and split others."""

import struct
from dataclasses import replace

from bridge.transforms import Record

_HEADER = struct.Struct(">QQQ")
MOST = 4
"""Parts that a record may have; the id of a part is that of the record times so many, and its number."""
CHANGED = b" changed"
"""Stands behind what a changed record held."""


def parted(record: Record) -> list[Record] | None:
    """Every seventh record is dropped; every fifth becomes three, the second of them with another key."""
    value, key = record.value or b"", record.key or b""
    number, *others = _HEADER.unpack_from(value)
    if is_left_out(number):
        return None
    return [
        replace(record, key=key + b"-other" if part == 1 else key, value=_part(number, part, others, value))
        for part in range(3 if number % 5 == 1 else 1)
    ]


def reduced(record: Record) -> Record | None:
    """Every seventh record is dropped, and all others are changed."""
    value = record.value or b""
    return None if is_left_out(_HEADER.unpack_from(value)[0]) else replace(record, value=value + CHANGED)


def is_left_out(number: int) -> bool:
    """Whether functions drop the record of that id."""
    return number % 7 == 3


def _part(number: int, part: int, others: list[int], value: bytes) -> bytes:
    return _HEADER.pack(number * MOST + part, *others) + value[_HEADER.size :]


def parted_with_a_mistake(record: Record) -> list[Record] | None:
    """As ``parted``, but for every eleventh record."""
    if _HEADER.unpack_from(record.value or b"")[0] % 11 == 5:
        raise ValueError("a mistake")
    return parted(record)
