"""Records that the Kinesis Producer Library packed into one, taken apart.

An aggregate is four magic bytes, a protobuf message and the MD5 of that message.
Source: awslabs/amazon-kinesis-producer, aggregation-format.md.
"""

from dataclasses import dataclass
from hashlib import md5

from google.protobuf.message import DecodeError

from connectors.codecs.kpl_schema import AggregatedRecord

MAGIC = b"\xf3\x89\x9a\xc2"
_DIGEST_SIZE = 16

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
