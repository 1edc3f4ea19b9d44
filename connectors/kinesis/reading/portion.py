"""What one look at a shard brings, whichever way it is read."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from connectors.base import Batch, Reservation
from connectors.kinesis.answers import Record
from connectors.kinesis.reading.cursor import Cursor


@dataclass(frozen=True, slots=True)
class Portion:
    """Records of a shard that follow each other, and what was told with them."""

    records: Sequence[Record]
    lag_ms: int
    """How far its end is behind the shard's tip, as the server tells it."""
    horizon_ms: int
    """What arrived before had expired when this was asked for."""
    reservation: Reservation
    read_ms: int | None
    """A time by the server's clock at which nothing of it was read yet; None where nobody can tell one."""
    is_full: bool = False
    """Whether more may wait behind it, whatever the lag says."""
    is_last: bool = False
    """Whether the server says that nothing follows."""
    has_children: bool = False
    """Whether it names the shards that follow this one."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What became of a portion."""

    batch: Batch | None
    """None, and the reservation released, where there is nothing to tell."""
    taken: int = 0
    """How many of its records stand in the batch, the last one perhaps in part, or are left out for good."""
    read: int = 0
    """Bytes of data in these."""
    memory: int = 0
    """Bytes that they take, taken apart."""
    is_cut: bool = False
    """Whether something of the portion is left, for want of room: the cursor stands before it."""


class Feed(ABC):
    """One way to read a shard."""

    async def turn(self) -> None:
        """Wait until the shard may be read, where that is not at any time."""
        return

    @abstractmethod
    async def next(self, cursor: Cursor) -> Portion:
        """The portion from the cursor on; a first record that the cursor is anchored at comes again.

        Reserves from the budget before it reads. Raises what the calls raise, and ``GapError``; it may then be called
        again.
        """

    @abstractmethod
    def digested(self, portion: Portion, digest: Digest, cursor: Cursor) -> None:
        """The cursor stands behind what ``digest`` has of ``portion``."""

    async def aclose(self) -> None:
        """Close what is open."""
        return


def size_of(records: Sequence[Record]) -> int:
    """Bytes of their data."""
    return sum(len(record.data) for record in records)
