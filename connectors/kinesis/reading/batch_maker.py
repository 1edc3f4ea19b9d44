"""Portions of a shard as batches."""

from collections.abc import Sequence

from connectors.base import RECORD_OVERHEAD, Batch
from connectors.codecs.decoding import Decoder, ReadCodec
from connectors.kinesis.answers import Record
from connectors.kinesis.position import After
from connectors.kinesis.reading.columns import Columns, arrival_ms, columns
from connectors.kinesis.reading.cursor import Cursor
from connectors.kinesis.reading.portion import Digest, Portion, size_of
from connectors.kinesis.reading.surroundings import Surroundings
from connectors.kinesis.reading.tip import Tip
from connectors.kinesis.settings import KinesisSourceSettings
from connectors.kinesis.shards import Shard


class BatchMaker:
    """Moves the cursor over what it makes batches of."""

    def __init__(self, shard: str, cursor: Cursor, tip: Tip, around: Surroundings) -> None:
        self.within: Shard | None = None
        """Aggregates that reach out of this one's range are left out; None: of none."""
        self._shard = shard
        self._cursor = cursor
        self._tip = tip
        self._around = around
        self._decoder = Decoder(_looked_for(around.settings), around.settings.decompress)

    def digest(self, portion: Portion) -> Digest:
        """The batch of ``portion``, with its reservation. Raises ``GapError``."""
        try:
            digest = self._digest(portion)
        except BaseException:
            portion.reservation.release()
            raise
        if digest.batch is None:
            portion.reservation.release()
        return digest

    def _digest(self, portion: Portion) -> Digest:
        records, resume = self._cursor.accept(
            portion.records, portion.lag_ms, portion.horizon_ms, is_last=portion.is_last
        )
        if portion.records:
            self._tip.records()
        if records:
            return self._with_records(portion, records, resume)
        if portion.records:
            read = size_of(portion.records)
            return Digest(None, len(portion.records), read, read + RECORD_OVERHEAD * len(portion.records))
        return Digest(self._without_records(portion))

    def _with_records(self, portion: Portion, records: Sequence[Record], resume: After | None) -> Digest:
        cursor = self._cursor
        found = columns(records, self._decoder, self.within, resume)
        taken = records[: found.taken]
        last = taken[-1]
        own = found.positions and found.positions[-1].startswith(last.sequence_number)
        cursor.advance(found.positions[-1] if own else last.sequence_number, last, portion.horizon_ms)
        if found.is_cut:
            cursor.go_back()
        memory = found.size + found.headers_size + RECORD_OVERHEAD * len(found.positions)
        portion.reservation.resize(memory)
        read = size_of(taken) if found.is_cut else found.read_size
        return Digest(self._batch(portion, found, last), len(taken), read, memory, found.is_cut)

    def _batch(self, portion: Portion, found: Columns, last: Record) -> Batch:
        may_have_more = found.is_cut or portion.is_full
        behind = max(1, self._around.api.server_now_ms() - arrival_ms(last)) if may_have_more else 0
        return Batch(
            self._shard,
            self._cursor.place,
            found.positions,
            found.keys,
            found.values,
            found.timestamps_ms,
            found.headers,
            size=found.size,
            arrivals_ms=found.arrivals_ms,
            lag_ms=portion.lag_ms or behind,
            skipped={"kcl_range": found.skipped} if found.skipped else {},
            reservation=portion.reservation,
        )

    def _without_records(self, portion: Portion) -> Batch | None:
        if portion.read_ms is None:
            return None
        cursor = self._cursor
        certain_to = self._tip.empty(portion.lag_ms, portion.read_ms)
        if certain_to is None or cursor.anchored or certain_to <= (cursor.watermark_ms or 0):
            return None
        cursor.certain(certain_to)
        if not self._tip.is_worth_telling():
            return None
        portion.reservation.resize(0)
        return Batch(self._shard, cursor.place, reservation=portion.reservation)


def _looked_for(settings: KinesisSourceSettings) -> ReadCodec:
    """The codec to look for where aggregates may have to stay as they are."""
    if settings.deaggregate != "never":
        return settings.codec
    return "envelope" if settings.codec in ("auto", "envelope") else "raw"
