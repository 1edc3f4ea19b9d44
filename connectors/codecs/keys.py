"""The Kinesis partition key of a record of any system.

Kinesis takes 1 to 256 characters. Keys that are such text in UTF-8 are themselves; the others get a *surrogate*, text
made from them, and the codec keeps the true key beside it.
"""

from collections.abc import Sequence
from hashlib import sha256

from connectors.base import Batch

LONGEST = 256
"""Characters of a partition key, counted as UTF-16 code units: the service does not say how it counts, this is safe."""

NULL_PREFIX = "kmbridge-null:"
"""Begins the surrogate of a record without a key; its partition and position follow."""

KEY_PREFIX = "kmbridge-key:"
"""Begins the surrogate of every other key; the SHA-256 of the key follows, in hexadecimal."""


def is_plain(key: bytes | None) -> bool:
    """Whether ``key`` can be a partition key as it is."""
    return key is not None and plain(key) is not None


def plain(key: bytes) -> str | None:
    """``key`` as a partition key; None when it cannot be one as it is."""
    if not key:
        return None
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return None
    # A UTF-16 code unit takes at least one byte of UTF-8.
    return text if len(key) <= LONGEST or units(text) <= LONGEST else None


def units(text: str) -> int:
    """The length of ``text`` in characters as they are counted here."""
    return len(text.encode("utf-16-le")) // 2


def all_plain(keys: Sequence[bytes | None]) -> Sequence[str] | None:
    """``keys`` as partition keys; None when one of them cannot be one as it is, or is longer than most."""
    present = [key for key in keys if key]
    if len(present) < len(keys) or max(map(len, present), default=0) > LONGEST:
        return None
    try:
        return list(map(bytes.decode, present))
    except UnicodeDecodeError:
        return None


def partition_keys(batch: Batch) -> Sequence[str]:
    """As ``Codec.partition_keys`` promises."""
    names = all_plain(batch.keys)
    return _one_by_one(batch) if names is None else names


def _one_by_one(batch: Batch) -> Sequence[str]:
    texts: list[str] = []
    add = texts.append
    for index, key in enumerate(batch.keys):
        if key and len(key) <= LONGEST:
            try:
                add(key.decode())
            except UnicodeDecodeError:
                add(_surrogate(key))
        elif key is None:
            add(_own(batch, index))
        else:
            add(plain(key) or _surrogate(key))
    return texts


def _own(batch: Batch, index: int) -> str:
    """For a record without a key: the same again when the record is sent again, and no other record's."""
    text = f"{NULL_PREFIX}{batch.partition}/{batch.positions[index]}"
    return text if text.isascii() and len(text) <= LONGEST else NULL_PREFIX + sha256(text.encode()).hexdigest()


def _surrogate(key: bytes) -> str:
    return KEY_PREFIX + sha256(key).hexdigest()
