"""Where one shard is being read, and whether records between there and the oldest one have expired."""

from collections.abc import Sequence

from connectors.base import GapError, Place, RefusedError
from connectors.kinesis.answers import Record
from connectors.kinesis.position import TRIM_HORIZON, After, Moment, Oldest, parse
from connectors.kinesis.reading.columns import arrival_ms
from connectors.times import iso

# Records are not trimmed to the second, nor are clocks that equal: nearer to the horizon than this nothing is certain.
_EDGE_MS = 60_000
# Whoever accepts a gap accepts what expires until reading goes on, which a person may need a while for.
_ACCEPTED_MS = 3_600_000
_MISSES = 2


class Cursor:
    """Moves over the records handed on.

    Kinesis tells nothing when records behind a position have expired: reading then goes on at the oldest one. So where
    expiry cannot be excluded by time, the cursor is *anchored*: the next read begins with the record it stands at,
    which proves that none behind it is lost.
    """

    def __init__(self, shard: str, after: Place) -> None:
        """Raises ``RefusedError`` for a position that is not one of a shard."""
        try:
            self.point = parse(after.position)
        except ValueError as error:
            raise RefusedError(f"read shard {shard}", str(error), "correct it with checkpoints set") from error
        self.watermark_ms = after.watermark_ms
        if self.watermark_ms is None and isinstance(self.point, Moment):
            self.watermark_ms = self.point.ms
        self.position = after.position
        point = self.point
        self.anchored = isinstance(point, After) and (point.sub is not None or self.watermark_ms is None)
        self._shard = shard
        self._accepted_ms = _ACCEPTED_MS if after.position == TRIM_HORIZON else 0
        self._from_edge = isinstance(point, Oldest)
        self._misses = 0

    @property
    def place(self) -> Place:
        return Place(self.position, self.watermark_ms)

    def check(self, horizon_ms: int, created_ms: int) -> None:
        """Before each read: raise ``GapError`` where records are lost, or anchor where that has to be found out.

        What arrived before ``horizon_ms`` has expired; the stream exists since ``created_ms``.
        """
        if self.watermark_ms is None:
            return
        certain_to = max(self.watermark_ms, created_ms)
        if certain_to >= horizon_ms + _EDGE_MS:
            return
        if isinstance(self.point, After):
            # Begun at the oldest record on purpose, and not yet away from there: nothing that expires now is missed.
            if not self._from_edge:
                self.anchored = True
        elif certain_to < horizon_ms - self._accepted_ms:
            raise self._gap(horizon_ms)

    def accept(
        self, records: Sequence[Record], lag_ms: int, horizon_ms: int, *, is_last: bool
    ) -> tuple[Sequence[Record], After | None]:
        """The records of an answer from the cursor on; the first one counts only after the point that comes with them.

        ``is_last``: no other answer follows. Raises ``GapError`` where the cursor is anchored and the record it stands
        at has expired.
        """
        if not self.anchored or not isinstance(self.point, After):
            return self._from_moment(records), None
        if records and records[0].sequence_number == self.point.sequence:
            self.anchored = False
            return records, self.point
        self._misses = self._misses + 1 if lag_ms == 0 else 0
        if records or self._misses >= _MISSES or is_last:
            raise self._gap(max(horizon_ms, arrival_ms(records[0])) if records else horizon_ms)
        return records, None

    def advance(self, position: str, last: Record, horizon_ms: int) -> None:
        """An answer is handed on as far as ``last``, its last record, and the place ``position``."""
        self.point = After(last.sequence_number)
        self.position = position
        self.certain(arrival_ms(last))
        if arrival_ms(last) >= horizon_ms + _EDGE_MS:
            self._from_edge = False

    def go_back(self) -> None:
        """Go on at the place, which is not where the last answer ended."""
        self.point = parse(self.position)
        self.anchored = isinstance(self.point, After) and self.point.sub is not None

    def certain(self, watermark_ms: int) -> None:
        """Everything that arrived before ``watermark_ms`` lies before the cursor."""
        self.watermark_ms = max(watermark_ms, self.watermark_ms or 0)

    def _from_moment(self, records: Sequence[Record]) -> Sequence[Record]:
        """Some servers answer a time that no record has reached yet with the shard's beginning."""
        if not isinstance(self.point, Moment):
            return records
        early = 0
        while early < len(records) and arrival_ms(records[early]) < self.point.ms:
            early += 1
        return records[early:]

    def _gap(self, lost_to_ms: int) -> GapError:
        lost_from = iso(self.watermark_ms) if self.watermark_ms is not None else str(self.point)
        return GapError(
            f"read shard {self._shard} after {self.point}",
            "records behind it have expired, or cannot be shown not to have",
            "on_gap: continue goes on with the oldest record; a longer retention of the stream prevents it",
            lost_from=lost_from,
            lost_to=iso(lost_to_ms),
            resume=Place(TRIM_HORIZON, lost_to_ms),
        )
