"""Which slot of the checkpoint topic a partition's checkpoint is in."""

import re
from zlib import crc32

_NUMBER = re.compile(r"[0-9]+\Z")


def slot_of(partition: str, slots: int) -> int:
    """A slot below ``slots``, for ever the same: the number that the name ends in, else a checksum of the name.

    Shards and partitions are numbered one after the other, so that slots are even by construction.
    """
    number = _NUMBER.search(partition)
    return (int(number[0]) if number else crc32(partition.encode())) % slots
