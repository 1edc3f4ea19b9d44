"""What a reader finds in the data of one Kinesis record."""

from collections.abc import Sequence

from msgspec import Struct

from connectors.base import HEADER_OVERHEAD, RECORD_OVERHEAD, Header
from connectors.codecs.kpl import Aggregate


class Decoded(Struct, frozen=True, gc=False):
    """The records inside, as columns of equal length."""

    keys: Sequence[bytes | None]
    values: Sequence[bytes | None]
    timestamps_ms: Sequence[int | None]
    """Each record's own time; None where only its arrival is known."""
    headers: Sequence[tuple[Header, ...]]
    memory: int
    """Bytes that the records take beside their keys, roughly."""
    aggregate: Aggregate | None = None
    """What they were packed into; None when the entry holds the one record without sub-sequence number."""


def memory_of(value: bytes | None, headers: tuple[Header, ...]) -> int:
    """Bytes that a record takes beside its key, roughly."""
    return RECORD_OVERHEAD + len(value or b"") + sum([HEADER_OVERHEAD + len(text or b"") for _, text in headers])
