"""Which slot of the checkpoint topic a partition's checkpoint is in."""

import re
from functools import cache
from math import gcd
from zlib import crc32

_NUMBER = re.compile(r"[0-9]+\Z")
_GOLDEN = (5**0.5 - 1) / 2


def slot_of(partition: str, slots: int) -> int:
    """A slot below ``slots``, for ever the same: by the number that the name ends in, else by a checksum of it.

    Shards and partitions are numbered one after the other: ``slots`` of them in a row fill every slot once, and fewer
    lie far apart, since a group hands out slots in blocks.
    """
    number = _NUMBER.search(partition)
    return (int(number[0]) if number else crc32(partition.encode())) * _step(slots) % slots


@cache
def _step(slots: int) -> int:
    """From one number's slot to the next one's: about the golden section of all, and without a common divisor."""
    near = max(1, round(slots * _GOLDEN))
    return next(step for step in range(near, near + slots) if gcd(step, slots) == 1)
