"""What a record holds, as one number; and its position, as another. Both of whole columns at a time.

The bytes that are hashed are MessagePack, which tells null from empty and where one part ends: no two records have the
same. XXH3 with 128 bits is no defence against somebody who makes collisions on purpose, and as good as any other
against chance.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat

import msgspec
from xxhash import xxh3_128_intdigest

from connectors.base import OWN_PREFIX, Header

_SUB_BITS = 32
"""More than the records inside of one aggregate need."""

Contents = Iterable[tuple[object, ...]]

_encoded = msgspec.msgpack.Encoder().encode


def digests(
    positions: Sequence[str],
    keys: Sequence[bytes | None],
    values: Sequence[bytes | None],
    headers: Sequence[tuple[Header, ...]] | None,
) -> list[int]:
    """Of records of one origin partition: equal for the same record with the same content, and for no other.

    A digest covers the position, so that no exchange of contents leaves the sum of digests as it was. ``headers`` are
    those that ``content`` leaves.
    """
    rows: Contents = zip(positions, keys, values, headers if headers is not None else repeat(()), strict=False)
    return list(map(xxh3_128_intdigest, map(_encoded, rows)))


def contents(
    keys: Sequence[bytes | None], values: Sequence[bytes | None], headers: Sequence[tuple[Header, ...]] | None
) -> list[int]:
    """As ``digests``, of records that do not say where they come from."""
    rows: Contents = zip(keys, values, headers if headers is not None else repeat(()), strict=False)
    return list(map(xxh3_128_intdigest, map(_encoded, rows)))


def content(headers: tuple[Header, ...]) -> tuple[Header, ...]:
    """``headers`` without those which the bridge added itself."""
    for name, _ in headers:
        if name.startswith(OWN_PREFIX):
            return tuple(header for header in headers if not header[0].startswith(OWN_PREFIX))
    return headers


def ranks(positions: Sequence[str]) -> list[int]:
    """Numbers that sort the records of one partition: a number inside of an aggregate stands behind ``#``."""
    if not any("#" in position for position in positions):
        return [int(position) << _SUB_BITS for position in positions]
    return list(map(rank, positions))


def rank(position: str) -> int:
    """As ``ranks``, of one record."""
    number, mark, sub = position.partition("#")
    return (int(number) << _SUB_BITS) + (int(sub) + 1 if mark else 0)
