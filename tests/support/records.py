"""Records to mirror: the same ones for the same seed, each able to say which one it is."""

import random
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Self

# id, number within the key, send time in nanoseconds
_HEADER = struct.Struct(">QQQ")


@dataclass(frozen=True, slots=True)
class TestRecord:
    """A record before it is sent. ``id`` counts all records from 0, ``number`` those of its key."""

    __test__ = False  # pytest takes every Test… class for a test otherwise

    id: int
    key: str
    number: int
    filler: bytes

    def value(self, sent_ns: int) -> bytes:
        """The record's data, which also tells when it was sent."""
        return _HEADER.pack(self.id, self.number, sent_ns) + self.filler


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a mirrored value says about the record that it was."""

    id: int
    number: int
    sent_ns: int

    @classmethod
    def of(cls, value: bytes) -> Self:
        return cls(*_HEADER.unpack_from(value))


def generate(count: int, keys: int, *, seed: int = 0, size: int = 200) -> Iterator[TestRecord]:
    """``count`` records of ``keys`` keys in random turns, their values about ``size`` bytes, half of them random."""
    draw = random.Random(seed)
    numbers = [0] * keys
    noise = max(0, size - _HEADER.size) // 2
    for id_ in range(count):
        key = draw.randrange(keys)
        yield TestRecord(id_, f"key-{key}", numbers[key], draw.randbytes(noise) + bytes(noise))
        numbers[key] += 1


def ids_by_key(records: Iterable[TestRecord]) -> dict[bytes, list[int]]:
    """Each key's record ids in the order in which they are sent: what the other side has to hold."""
    ids: dict[bytes, list[int]] = {}
    for record in records:
        ids.setdefault(record.key.encode(), []).append(record.id)
    return ids
