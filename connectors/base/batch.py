"""A stretch of records on its way from a source to a sink."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.base.budget import Reservation
from connectors.base.outcome import Rejected
from connectors.base.place import Place, Position
from connectors.base.record import ORIGIN_HEADER, Header, Record, identity_of


def size_of(keys: Sequence[bytes | None], values: Sequence[bytes | None]) -> int:
    """Bytes of ``keys`` and ``values``."""
    return sum(len(text) for text in (*keys, *values) if text is not None)


@dataclass(frozen=True, slots=True)
class Batch:
    """A stretch of one partition's records in source order, as columns of equal length.

    It is empty when the source only learned that it has caught up: ``place`` then carries a later watermark.
    Columns are never changed after the batch is made; who needs others makes another batch.
    """

    partition: str
    place: Place
    """Where the lane stands once every record of this batch is durable."""
    positions: Sequence[Position] = ()
    keys: Sequence[bytes | None] = ()
    values: Sequence[bytes | None] = ()
    timestamps_ms: Sequence[int] = ()
    """The records' own times, milliseconds since the epoch; of a system that keeps none, when they arrived there."""
    headers: Sequence[tuple[Header, ...]] | None = None
    """None when no record of the batch has any."""
    origins: Sequence[bytes] | None = None
    """This hop's ``ORIGIN>DESTINATION`` of each record, to be sent as the last ``ORIGIN_HEADER``; None: not sent."""
    parts: Sequence[int] | None = None
    """Which of those records that were made of one source record each is, from 0; they have one position and stand
    together. None: each is the only one.
    """
    size: int = 0
    """Bytes of keys and values."""
    arrivals_ms: Sequence[int] | None = None
    """When each arrived at the source, where that is not its own time."""
    lag_ms: int = 0
    """How far the end of this batch is behind the partition's tip, as the source tells it.

    0 only where nothing lay behind it at a moment after reading began.
    """
    lag_records: int | None = None
    """How many records of the partition lie behind the end of this batch; None where the source cannot count them."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Records of the stretch that are left out on purpose, counted by reason."""
    is_last: bool = False
    """Whether a bounded read ends with it: nothing behind it is asked for."""
    reservation: Reservation | None = None
    """The batch's share of the budget, released by the engine when every record is durable."""

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def identities(self) -> Sequence[str]:
        """Of each record, as ``identity_of``."""
        if self.parts is None:
            return self.positions
        return list(map(identity_of, self.positions, self.parts))

    @property
    def arrived_ms(self) -> Sequence[int]:
        """When each arrived at the source."""
        return self.timestamps_ms if self.arrivals_ms is None else self.arrivals_ms

    def record(self, index: int) -> Record:
        """The record at ``index``, its origin of this hop among the headers."""
        headers = self.headers[index] if self.headers is not None else ()
        if self.origins is not None:
            headers = (*headers, (ORIGIN_HEADER, self.origins[index]))
        return Record(
            self.partition,
            self.positions[index],
            self.keys[index],
            self.values[index],
            self.timestamps_ms[index],
            headers,
        )

    def records(self) -> Iterator[Record]:
        return (self.record(index) for index in range(len(self)))

    def pick(self, chosen: Sequence[int]) -> "Batch":
        """The records at the indexes ``chosen`` alone; place and reservation stay."""
        keys = [self.keys[index] for index in chosen]
        values = [self.values[index] for index in chosen]
        return replace(
            self,
            positions=[self.positions[index] for index in chosen],
            keys=keys,
            values=values,
            timestamps_ms=[self.timestamps_ms[index] for index in chosen],
            arrivals_ms=None if self.arrivals_ms is None else [self.arrivals_ms[index] for index in chosen],
            headers=None if self.headers is None else [self.headers[index] for index in chosen],
            origins=None if self.origins is None else [self.origins[index] for index in chosen],
            parts=None if self.parts is None else [self.parts[index] for index in chosen],
            size=size_of(keys, values),
        )

    def others(self, rejected: Iterable[Rejected]) -> list[int]:
        """The indexes of the records that are not ``rejected``."""
        left_out = {each.index for each in rejected}
        return [index for index in range(len(self)) if index not in left_out]

    def without(self, rejected: Collection[Rejected]) -> "Batch":
        """The batch less its ``rejected`` records; itself where there are none."""
        return self.pick(self.others(rejected)) if rejected else self

    def release(self) -> None:
        """Give the batch's share of the budget back. A second call does nothing."""
        if self.reservation is not None:
            self.reservation.release()
