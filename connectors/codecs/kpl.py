"""The wire format of the Kinesis Producer Library: records packed into one, and taken apart again.

An aggregate is four magic bytes, a protobuf message and the MD5 of that message. Written are only aggregates of one
partition key, so that all of an aggregate falls into one shard, whatever becomes of the shards: Amazon's client library
drops an aggregate with a record that does not belong into the shard that it is read from.
Source: awslabs/amazon-kinesis-producer, aggregation-format.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import md5

from google.protobuf.message import DecodeError

from connectors.codecs.kpl_schema import AggregatedRecord

MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST_SIZE = 16

# The message is written by hand: a record costs a fifth of what the protobuf library takes. Each is the number of a
# field, shifted by three, with wire type 2 (a length follows) or 0 (a number follows).
_KEY_TABLE_ENTRY = b"\x0a"
_RECORD = b"\x1a"
_FIRST_KEY_THEN_DATA = b"\x08\x00\x1a"
_TAG = b"\x22"
_TAG_KEY = b"\x0a"
_TAG_VALUE = b"\x12"

Tag = tuple[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The user records of one aggregate as columns. A record's index is its sub-sequence number."""

    keys: list[bytes]
    values: list[bytes]
    hash_keys: list[int | None]
    """The explicit hash key of each; None where its partition key decides."""
    tags: list[tuple[Tag, ...]] | None
    """None when no record has any."""

    def within(self, first_hash: int, last_hash: int) -> bool:
        """Whether every record belongs into the range of hashes, both ends included."""
        return all(
            first_hash <= (hash_of(key) if hash_key is None else hash_key) <= last_hash
            for key, hash_key in zip(self.keys, self.hash_keys, strict=True)
        )


def hash_of(key: bytes) -> int:
    """Where a partition key falls in a stream's range of hashes, 0 to 2**128 - 1."""
    return int.from_bytes(md5(key, usedforsecurity=False).digest(), "big")


def varint(number: int) -> bytes:
    """``number``, not negative, as protobuf writes it: seven bits a byte, the lowest first."""
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def tag(name: bytes, value: bytes | None) -> bytes:
    """A tag as it stands in a record. Both are UTF-8: the published schema calls them text."""
    if value is not None:
        return tag_head(name, len(value)) + value
    content = _TAG_KEY + varint(len(name)) + name
    return _TAG + varint(len(content)) + content


def tag_head(name: bytes, value_size: int) -> bytes:
    """What stands before the value of a tag."""
    content = _TAG_KEY + varint(len(name)) + name + _TAG_VALUE + varint(value_size)
    return _TAG + varint(len(content) + value_size) + content


def record(value: bytes, tags: bytes) -> bytes:
    """A record of the first partition key, as it stands in a message."""
    return record_head(len(value), len(tags)) + value + tags


def record_head(value_size: int, tags_size: int) -> bytes:
    """What stands before the value of a record of the first partition key."""
    data = _FIRST_KEY_THEN_DATA + varint(value_size)
    return _RECORD + varint(len(data) + value_size + tags_size) + data


def aggregate(partition_key: bytes, records: Sequence[bytes]) -> bytes:
    """One Kinesis record's data: ``records`` as ``record`` makes them, all of ``partition_key``."""
    body = b"".join((_KEY_TABLE_ENTRY, varint(len(partition_key)), partition_key, *records))
    return b"".join((MAGIC, body, md5(body, usedforsecurity=False).digest()))


def overhead(partition_key: bytes) -> int:
    """Bytes of an aggregate beside its records."""
    return len(MAGIC) + 1 + len(varint(len(partition_key))) + len(partition_key) + _DIGEST_SIZE


def decode(data: bytes) -> Aggregate | None:
    """The records inside of ``data``; None when it is no aggregate, whatever bytes it holds."""
    if not data.startswith(MAGIC) or len(data) <= len(MAGIC) + _DIGEST_SIZE:
        return None
    body = data[len(MAGIC) : -_DIGEST_SIZE]
    if md5(body, usedforsecurity=False).digest() != data[-_DIGEST_SIZE:]:
        return None
    try:
        return _unpack(body)
    except (DecodeError, IndexError, ValueError):
        return None


def _unpack(body: bytes) -> Aggregate:
    """Raises ``DecodeError``, ``IndexError`` or ``ValueError`` for what no producer writes."""
    message = AggregatedRecord.FromString(body)
    records = list(message.records)
    key_table = list(message.partition_key_table)
    hash_table = [_hash_key(text) for text in message.explicit_hash_key_table]
    tags = [tuple((tag.key, tag.value if tag.HasField("value") else None) for tag in each.tags) for each in records]
    return Aggregate(
        [key_table[each.partition_key_index] for each in records],
        [each.data for each in records],
        [
            hash_table[each.explicit_hash_key_index] if each.HasField("explicit_hash_key_index") else None
            for each in records
        ],
        tags if any(tags) else None,
    )


def _hash_key(text: bytes) -> int:
    if not text.isdigit():
        raise ValueError(f"not a hash key: {text!r}")
    return int(text)
