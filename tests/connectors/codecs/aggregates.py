"""Aggregates as a producer makes them, for tests."""

from collections.abc import Sequence
from hashlib import md5

from connectors.codecs.kpl import MAGIC
from connectors.codecs.kpl_schema import AggregatedRecord

UserRecord = tuple[bytes, bytes]


def aggregate(records: Sequence[UserRecord], hash_keys: Sequence[int | None] | None = None) -> bytes:
    """``records`` are keys and values; ``hash_keys`` their explicit hash keys."""
    message = AggregatedRecord()
    for index, (key, value) in enumerate(records):
        if key not in message.partition_key_table:
            message.partition_key_table.append(key)
        hash_key = hash_keys[index] if hash_keys is not None else None
        added = message.records.add(partition_key_index=list(message.partition_key_table).index(key), data=value)
        if hash_key is not None:
            added.explicit_hash_key_index = len(message.explicit_hash_key_table)
            message.explicit_hash_key_table.append(b"%d" % hash_key)
    return sealed(message.SerializeToString())


def sealed(body: bytes) -> bytes:
    """``body`` between the magic bytes and its digest."""
    return MAGIC + body + md5(body, usedforsecurity=False).digest()
