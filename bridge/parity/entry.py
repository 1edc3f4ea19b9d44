"""One record as parity sees it: which one it is, where it was found, and a digest of what it holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

from connectors.base import Header

_DIGEST_BYTES = 16
_OWN_HEADERS = "kmbridge-"
"""Headers which say how a record travelled and are no part of what it holds."""


@dataclass(frozen=True, slots=True, order=True)
class Identity:
    """Which record this is: the place at the origin, the same on both sides."""

    partition: str
    position: str

    def __str__(self) -> str:
        return f"{self.partition}/{self.position}"


@dataclass(frozen=True, slots=True)
class Entry:
    identity: Identity
    place: str
    """The partition of the side it was read from."""
    key: bytes | None
    digest: int
    """Of identity, key, value and headers: equal for equal records, and with 128 bits for no others."""


def entry(
    identity: Identity, place: str, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()
) -> Entry:
    """The entry of a record read in ``place``. Headers which the bridge added itself are left out."""
    hashed = blake2b(digest_size=_DIGEST_BYTES)
    for part in (identity.partition.encode(), identity.position.encode(), key, value):
        hashed.update(_framed(part))
    for name, content in headers:
        if not name.startswith(_OWN_HEADERS):
            hashed.update(_framed(name.encode()) + _framed(content))
    return Entry(identity, place, key, int.from_bytes(hashed.digest()))


def rank(position: str) -> tuple[int, ...]:
    """Sorts the positions of one partition: numbers, with the number inside of an aggregate behind ``#``."""
    return tuple(int(number) for number in position.split("#"))


def _framed(part: bytes | None) -> bytes:
    """Its length before it, so that no two records run together to the same bytes; null is not empty."""
    if part is None:
        return b"\xff" * 8
    return len(part).to_bytes(8) + part
