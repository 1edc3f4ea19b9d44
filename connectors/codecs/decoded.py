"""What a reader finds in the data of one Kinesis record."""

from msgspec import Struct

from connectors.base import Header
from connectors.codecs.kpl import Aggregate


class Decoded(Struct, frozen=True, gc=False):
    """The records inside, as columns of equal length."""

    keys: list[bytes | None]
    values: list[bytes | None]
    timestamps_ms: list[int | None]
    """Each record's own time; None where only its arrival is known."""
    headers: list[tuple[Header, ...]]
    aggregate: Aggregate | None = None
    """What they were packed into; None when the entry holds the one record without sub-sequence number."""
