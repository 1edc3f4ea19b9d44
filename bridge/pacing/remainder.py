"""A batch that is handed on piece by piece."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from connectors.base import Batch, Place, Reservation, size_of

T = TypeVar("T")


class Remainder:
    """What is left of ``batch``. Each piece is a batch of its own, with a place behind its last record.

    The batch's share of the budget ends once the remainder and all pieces are released, in whatever order.
    """

    def __init__(self, batch: Batch, before: Place) -> None:
        """``before`` is the place that ``batch`` follows."""
        self.batch = batch
        self.at = 0
        """How many of its records are handed on."""
        self._before = before
        self._share = None if batch.reservation is None else _Shared(batch.reservation)

    def __len__(self) -> int:
        return len(self.batch) - self.at

    def take(self, count: int, held_ms: int) -> Batch:
        """The next ``count`` records; without any left, what the batch says besides. It was held for ``held_ms``."""
        batch, first, end = self.batch, self.at, self.at + count
        self.at = end
        reservation = None if self._share is None else self._share.part()
        if count == len(batch):
            return replace(batch, reservation=reservation)
        keys, values = batch.keys[first:end], batch.values[first:end]
        piece = replace(
            batch,
            positions=batch.positions[first:end],
            keys=keys,
            values=values,
            timestamps_ms=batch.timestamps_ms[first:end],
            arrivals_ms=_part(batch.arrivals_ms, first, end),
            headers=_part(batch.headers, first, end),
            origins=_part(batch.origins, first, end),
            size=size_of(keys, values),
            reservation=reservation,
        )
        return piece if end == len(batch) else self._with_more_behind(piece, held_ms)

    def release(self) -> None:
        """Give up what is left. A second call does nothing."""
        share, self._share = self._share, None
        if share is not None:
            share.drop()

    def _with_more_behind(self, piece: Batch, held_ms: int) -> Batch:
        """``piece``, which does not end where the batch does."""
        whole, lag_records = self.batch, self.batch.lag_records
        to_end_ms = whole.arrived_ms[-1] - piece.arrived_ms[-1]
        return replace(
            piece,
            # The batch's own watermark is certain only behind its last record.
            place=Place(piece.positions[-1], self._before.watermark_ms),
            lag_ms=max(1, whole.lag_ms + to_end_ms + held_ms),
            lag_records=None if lag_records is None else lag_records + len(self),
            skipped={},
            is_last=False,
        )


class _Shared:
    """A reservation that ends when the last of its holders is gone."""

    def __init__(self, reservation: Reservation) -> None:
        self._reservation = reservation
        self._holders = 1

    def part(self) -> Reservation:
        self._holders += 1
        return _Part(self)

    def grow(self, by: int) -> None:
        self._reservation.grow(by)

    def drop(self) -> None:
        self._holders -= 1
        if self._holders == 0:
            self._reservation.release()


class _Part(Reservation):
    __slots__ = ("_whole",)

    def __init__(self, whole: _Shared) -> None:
        self._whole: _Shared | None = whole

    def resize(self, size: int) -> None:
        """The true size is known by the time a batch is cut."""

    def grow(self, by: int) -> None:
        if self._whole is not None:
            self._whole.grow(by)

    def release(self) -> None:
        whole, self._whole = self._whole, None
        if whole is not None:
            whole.drop()


def _part(column: Sequence[T] | None, first: int, end: int) -> Sequence[T] | None:
    return None if column is None else column[first:end]
