"""The wire format of the Kinesis Producer Library: records packed into one, and taken apart again.

An aggregate is four magic bytes, a protobuf message and the MD5 of that message. Written are only aggregates of one
partition key, so that all of an aggregate falls into one shard, whatever becomes of the shards: Amazon's client library
drops an aggregate with a record that does not belong into the shard that it is read from.
Source: awslabs/amazon-kinesis-producer, aggregation-format.md.
"""

from collections.abc import Sequence
from hashlib import md5
from typing import Any

from google.protobuf.message import DecodeError
from msgspec import Struct

from connectors.codecs import kpl_wire
from connectors.codecs.kpl_schema import AggregatedRecord

MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST_SIZE = 16

Tag = tuple[bytes, bytes | None]


class Aggregate(Struct, frozen=True, gc=False):
    """The user records of one aggregate as columns. A record's index is its sub-sequence number."""

    keys: list[bytes]
    values: list[bytes]
    hash_keys: list[int | None]
    """The explicit hash key of each; None where its partition key decides."""
    tags: list[tuple[Tag, ...]]

    def within(self, first_hash: int, last_hash: int) -> bool:
        """Whether every record belongs into the range of hashes, both ends included."""
        return all(
            first_hash <= (hash_of(key) if hash_key is None else hash_key) <= last_hash
            for key, hash_key in zip(self.keys, self.hash_keys, strict=True)
        )


def hash_of(key: bytes) -> int:
    """Where a partition key falls in a stream's range of hashes, 0 to 2**128 - 1."""
    return int.from_bytes(md5(key, usedforsecurity=False).digest(), "big")


def aggregate(partition_key: bytes, records: Sequence[bytes]) -> bytes:
    """One Kinesis record's data: ``records`` as ``kpl_wire.record`` makes them, all of ``partition_key``."""
    head = kpl_wire.message_head(partition_key)
    digest = md5(head, usedforsecurity=False)
    for record in records:
        digest.update(record)
    return b"".join((MAGIC, head, *records, digest.digest()))


def decode(data: bytes) -> Aggregate | None:
    """The records inside of ``data``; None when it is no aggregate, whatever bytes it holds."""
    body = message(data)
    return None if body is None else unpacked(body)


def message(data: bytes) -> bytes | None:
    """What stands between the magic bytes and the MD5 of it; None where ``data`` is no aggregate."""
    if not data.startswith(MAGIC) or len(data) <= len(MAGIC) + _DIGEST_SIZE:
        return None
    body = data[len(MAGIC) : -_DIGEST_SIZE]
    return body if _digest(body) == data[-_DIGEST_SIZE:] else None


def unpacked(body: bytes) -> Aggregate | None:
    """The records of a message; None when it is none, whatever bytes it holds."""
    try:
        return _unpacked(AggregatedRecord.FromString(body))
    except (DecodeError, IndexError, ValueError):
        return None


def _digest(body: bytes) -> bytes:
    return md5(body, usedforsecurity=False).digest()


def _unpacked(message: Any) -> Aggregate:
    """Raises ``IndexError`` or ``ValueError`` for what no producer writes."""
    key_table = list(message.partition_key_table)
    hash_table = [_hash_key(text) for text in message.explicit_hash_key_table]
    found = Aggregate([], [], [], [])
    for each in message.records:
        has_hash_key = each.HasField("explicit_hash_key_index")
        found.keys.append(key_table[each.partition_key_index])
        found.values.append(each.data)
        found.hash_keys.append(hash_table[each.explicit_hash_key_index] if has_hash_key else None)
        found.tags.append(tuple([(tag.key, tag.value if tag.HasField("value") else None) for tag in each.tags]))
    return found


def _hash_key(text: bytes) -> int:
    if not text.isdigit():
        raise ValueError(f"not a hash key: {text!r}")
    return int(text)
