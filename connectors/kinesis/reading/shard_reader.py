"""Reads one shard by polling."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from random import Random

from connectors.base import Batch, Budget, Clock, GapError, Observer, Place, Reservation, TransientError
from connectors.codecs.decoded import RECORD_OVERHEAD
from connectors.codecs.decoding import Decoder, ReadCodec
from connectors.kinesis.answers import GetRecordsAnswer, Record
from connectors.kinesis.api import StreamApi
from connectors.kinesis.backoff import Backoff
from connectors.kinesis.client import Answer
from connectors.kinesis.faults import MissingError, StaleIteratorError, ThrottledError
from connectors.kinesis.position import After
from connectors.kinesis.reading.columns import arrival_ms, columns
from connectors.kinesis.reading.cursor import Cursor
from connectors.kinesis.reading.order import OrderGuard
from connectors.kinesis.reading.pace import Pace
from connectors.kinesis.reading.read_size import Average, ReadSize
from connectors.kinesis.reading.tip import Tip
from connectors.kinesis.settings import KinesisSourceSettings
from connectors.kinesis.shards import Shard, ShardDirectory
from connectors.kinesis.summary import StreamWatch
from connectors.times import iso

_TRIES = 10
_JUST_READ_S = 0.2
_UNCONFIRMED_S = 1.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all readers of a source share."""

    settings: KinesisSourceSettings
    api: StreamApi
    directory: ShardDirectory
    watch: StreamWatch
    order: OrderGuard
    average: Average
    clock: Clock
    random: Random
    observer: Observer


@dataclass(frozen=True, slots=True)
class _Fetched:
    answer: Answer[GetRecordsAnswer]
    limit: int
    reservation: Reservation
    horizon_ms: int
    """What arrived before had expired when this was read."""


class ShardReader:
    """One lane's way through a shard."""

    def __init__(self, shard: str, after: Place, budget: Budget, around: Surroundings) -> None:
        self._shard = shard
        self._range: Shard | None = None
        self._budget = budget
        self._around = around
        self._cursor = Cursor(shard, after)
        self._pace = Pace(around.settings.read_share, around.clock)
        self._size = ReadSize(around.settings.read_share, around.watch.summary.largest_record, around.average)
        self._tip = Tip(around.clock)
        self._backoff = Backoff(around.clock, around.random)
        self._decoder = Decoder(_looked_for(around.settings), around.settings.decompress)
        self._stale = 0
        around.order.enter(shard, after)

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """As ``Source.read`` promises."""
        if self._around.settings.deaggregate == "kcl":
            self._range = await self._around.directory.get(self._shard)
        while True:
            await self._look()
            fetched = await self._fetch()
            if fetched is None:
                continue
            has_children = bool(fetched.answer.value.child_shards)
            batch = self._digested(fetched)
            # While the next read waits for the budget, this one's memory must be free as soon as the engine is done.
            del fetched
            if batch is not None:
                yield batch
            del batch
            if has_children:
                self._around.directory.changed()
            if self._cursor.at_end and await self._has_ended(has_children=has_children):
                return

    async def _look(self) -> None:
        """Wait for the shard's turn, and make sure that the stream still is what it was."""
        await self._pace.turn()
        around = self._around
        summary = await around.watch.look()
        around.order.check(self._shard, self._cursor.place, summary, around.api.server_now_ms())

    async def _fetch(self) -> _Fetched | None:
        """The next answer; None after a fault that calls for another try."""
        try:
            fetched = await self._call()
        except ThrottledError as error:
            self._around.observer.throttled(_operation(error))
            await self._backoff.wait()
        except StaleIteratorError as error:
            self._renew_iterator(error)
        except MissingError as error:
            await self._explain(error)
        except TransientError as error:
            await self._again(error)
        else:
            self._backoff.reset()
            self._stale = 0
            return fetched
        return None

    async def _call(self) -> _Fetched:
        limit = self._size.limit()
        reservation = await self._budget.reserve(self._size.expected(limit))
        cursor, api, summary = self._cursor, self._around.api, self._around.watch.summary
        try:
            # Only now: the budget may have been waited for until records expired.
            horizon_ms = api.server_now_ms() - summary.retention_ms
            cursor.check(horizon_ms, summary.created_ms)
            self._pace.begin()
            if cursor.iterator is None:
                cursor.iterator = await api.shard_iterator(self._shard, cursor.point, inclusive=cursor.anchored)
                self._pace.begin()
            return _Fetched(await api.records(cursor.iterator, limit), limit, reservation, horizon_ms)
        except BaseException:
            reservation.release()
            raise

    def _renew_iterator(self, error: StaleIteratorError) -> None:
        self._cursor.iterator = None
        self._stale += 1
        if self._stale >= _TRIES:
            raise TransientError(error.operation, f"every iterator is refused: {error.cause}") from error
        self._around.observer.retried("GetRecords", "iterator")

    async def _again(self, error: TransientError) -> None:
        """Wait before another try. Raises the error when there were many, so that the lane shows it."""
        if self._backoff.failures + 1 >= _TRIES:
            raise error
        self._around.observer.retried(_operation(error), type(error).__name__)
        await self._backoff.wait()

    async def _explain(self, error: MissingError) -> None:
        """The shard is not there: because the stream is not, because it has expired, or only for a moment.

        Raises ``MissingError`` in the first case and ``GapError`` in the second. Never takes it for the shard's end.
        """
        try:
            listing = await self._around.directory.fresh()
        except TransientError as fault:
            await self._again(fault)
            return
        if self._shard in listing:
            await self._again(TransientError(error.operation, error.cause))
            return
        place = self._cursor.place
        raise GapError(
            f"read shard {self._shard} after {self._cursor.point}",
            "the shard has expired with its records",
            "on_gap: continue takes it as finished",
            lost_from=iso(place.watermark_ms) if place.watermark_ms is not None else str(self._cursor.point),
            lost_to=iso(self._around.api.server_now_ms() - self._around.watch.summary.retention_ms),
            resume=None,
        ) from error

    def _digested(self, fetched: _Fetched) -> Batch | None:
        """The batch of an answer, with its reservation; None, and the reservation released, where there is none."""
        answer, cursor = fetched.answer.value, self._cursor
        try:
            batch = None
            records, resume = cursor.accept(answer, fetched.horizon_ms)
            cursor.iterator = answer.next_shard_iterator
            if answer.records:
                self._tip.records()
            if records:
                batch = self._with_records(fetched, records, resume)
            elif answer.records:
                read = _bytes(answer.records)
                size = read + RECORD_OVERHEAD * len(answer.records)
                self._size.learn(len(answer.records), size, size)
                self._pace.took(read)
            else:
                batch = self._without_records(fetched)
        except BaseException:
            fetched.reservation.release()
            raise
        if batch is None:
            fetched.reservation.release()
        return batch

    def _with_records(self, fetched: _Fetched, records: Sequence[Record], resume: After | None) -> Batch:
        answer, cursor = fetched.answer.value, self._cursor
        found = columns(records, self._decoder, self._range, resume)
        memory = found.size + found.headers_size + RECORD_OVERHEAD * len(found.positions)
        taken = records[: found.taken]
        last = taken[-1]
        own = found.positions and found.positions[-1].startswith(last.sequence_number)
        cursor.advance(found.positions[-1] if own else last.sequence_number, last, fetched.horizon_ms)
        if found.is_cut:
            cursor.go_back()
        read = _bytes(taken) if found.is_cut else found.read_size
        self._size.learn(len(taken), read + RECORD_OVERHEAD * len(taken), memory)
        full = found.is_cut or len(answer.records) >= fetched.limit
        self._pace.took(found.read_size)
        if not full and answer.millis_behind_latest == 0:
            self._pace.rest(_JUST_READ_S)
        behind = max(1, fetched.answer.server_ms - arrival_ms(last)) if full else 0
        fetched.reservation.resize(memory)
        return Batch(
            self._shard,
            cursor.place,
            found.positions,
            found.keys,
            found.values,
            found.timestamps_ms,
            found.headers,
            size=found.size,
            arrivals_ms=found.arrivals_ms,
            lag_ms=answer.millis_behind_latest or behind,
            skipped={"kcl_range": found.skipped} if found.skipped else {},
            reservation=fetched.reservation,
        )

    def _without_records(self, fetched: _Fetched) -> Batch | None:
        answer, cursor, settings = fetched.answer.value, self._cursor, self._around.settings
        lag_ms = answer.millis_behind_latest
        self._size.learn(0, 0, 0)
        if lag_ms == 0:
            self._pace.rest(settings.poll_interval_s * self._around.random.uniform(0.9, 1.1))
        certain_to = self._tip.empty(lag_ms, fetched.answer.server_ms)
        if certain_to is None or cursor.anchored or certain_to <= (cursor.watermark_ms or 0):
            return None
        cursor.certain(certain_to)
        if not self._tip.is_worth_telling():
            return None
        fetched.reservation.resize(0)
        return Batch(self._shard, cursor.place, reservation=fetched.reservation)

    async def _has_ended(self, *, has_children: bool) -> bool:
        """Whether the null iterator means the end of the shard: its children are named, or a listing confirms it."""
        if has_children:
            return True
        try:
            if await self._around.directory.has_ended(self._shard):
                return True
        except TransientError as error:
            self._around.observer.retried("ListShards", type(error).__name__)
        self._pace.rest(_UNCONFIRMED_S)
        return False


def _looked_for(settings: KinesisSourceSettings) -> ReadCodec:
    """The codec to look for where aggregates may have to stay as they are."""
    if settings.deaggregate != "never":
        return settings.codec
    return "envelope" if settings.codec in ("auto", "envelope") else "raw"


def _bytes(records: Sequence[Record]) -> int:
    return sum(len(record.data) for record in records)


def _operation(error: TransientError) -> str:
    """The name of the API's operation that failed."""
    return error.operation.partition(" ")[0]
