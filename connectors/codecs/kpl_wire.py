"""The protobuf messages of aggregates, written by hand: a record costs a fifth of what the protobuf library takes.

Source: awslabs/amazon-kinesis-producer, aggregation-format.md.
"""

from collections.abc import Callable

from connectors.codecs.varint import varint

# The first byte of a field: its number, shifted by three, and wire type 2 (a length follows) or 0 (a number follows).
KEY_TABLE = 0x0A
RECORD = 0x1A
_KEY_INDEX = 0x08
_DATA = 0x1A
_TAG = 0x22
_TAG_KEY = 0x0A
_TAG_VALUE = 0x12

BEFORE_VALUE = bytes((_KEY_INDEX, 0, _DATA))
"""Between the size of a record of the first partition key and that of its value."""


def message_head(partition_key: bytes) -> bytes:
    """What stands before the records of a message whose only partition key this is."""
    return b"%c%b%b" % (KEY_TABLE, varint(len(partition_key)), partition_key)


def record(value: bytes, tags: bytes) -> bytes:
    """A record of the first partition key, with its tags one after the other, as it stands in a message."""
    return record_head(len(value), len(tags)) + value + tags


def record_head(value_size: int, tags_size: int) -> bytes:
    """What stands before the value of a record of the first partition key."""
    head = BEFORE_VALUE + varint(value_size)
    return b"%c%b%b" % (RECORD, varint(len(head) + value_size + tags_size), head)


def tag(name: bytes, value: bytes | None) -> bytes:
    """A tag as it stands in a record. Both are UTF-8: the published schema calls them text."""
    if value is not None:
        return tag_head(name, len(value)) + value
    key = b"%c%b%b" % (_TAG_KEY, varint(len(name)), name)
    return b"%c%b%b" % (_TAG, varint(len(key)), key)


def tag_head(name: bytes, value_size: int) -> bytes:
    """What stands before the value of a tag."""
    head = b"%c%b%b%c%b" % (_TAG_KEY, varint(len(name)), name, _TAG_VALUE, varint(value_size))
    return b"%c%b%b" % (_TAG, varint(len(head) + value_size), head)


def tag_writer() -> Callable[[bytes, bytes | None], bytes]:
    """``tag`` for the records of a batch: names and sizes repeat, so what stands before values is kept."""
    heads: dict[tuple[bytes, int], bytes] = {}

    def write(name: bytes, value: bytes | None) -> bytes:
        if value is None:
            return tag(name, None)
        head = heads.get((name, len(value)))
        if head is None:
            head = heads[name, len(value)] = tag_head(name, len(value))
        return head + value

    return write
