"""A shard asked again and again, with GetRecords."""

from dataclasses import dataclass

from connectors.base import RECORD_OVERHEAD, Budget
from connectors.kinesis.faults import StaleIteratorError
from connectors.kinesis.position import Point
from connectors.kinesis.reading.cursor import Cursor
from connectors.kinesis.reading.pace import Pace
from connectors.kinesis.reading.portion import Digest, Feed, Portion, size_of
from connectors.kinesis.reading.read_size import ReadSize
from connectors.kinesis.reading.surroundings import Surroundings

_JUST_READ_S = 0.2


@dataclass(frozen=True, slots=True)
class _Iterator:
    text: str
    point: Point
    anchored: bool

    def is_at(self, cursor: Cursor) -> bool:
        return self.point == cursor.point and self.anchored == cursor.anchored


class Poll(Feed):
    """Keeps within its share of the limits that the shard has for all its polling readers."""

    def __init__(self, shard: str, budget: Budget, around: Surroundings) -> None:
        self._shard = shard
        self._budget = budget
        self._around = around
        self._pace = Pace(around.settings.read_share, around.clock)
        self._size = ReadSize(around.settings.read_share, around.watch.summary.largest_record, around.average)
        self._iterator: _Iterator | None = None
        self._following: str | None = None

    @property
    def is_due(self) -> bool:
        """Whether ``turn`` would not wait."""
        return self._pace.is_due

    async def turn(self) -> None:
        await self._pace.turn()

    async def next(self, cursor: Cursor) -> Portion:
        limit = self._size.limit()
        reservation = await self._budget.reserve(self._size.expected(limit))
        around = self._around
        try:
            # Only now: the budget may have been waited for until records expired.
            horizon_ms = around.horizon_ms()
            cursor.check(horizon_ms, around.watch.summary.created_ms)
            self._pace.begin()
            answer = await around.api.records(await self._iterator_at(cursor), limit)
        except StaleIteratorError:
            self._iterator = None
            reservation.release()
            raise
        except BaseException:
            reservation.release()
            raise
        told = answer.value
        self._following = told.next_shard_iterator
        return Portion(
            told.records,
            told.millis_behind_latest,
            horizon_ms,
            reservation,
            answer.server_ms,
            is_full=len(told.records) >= limit,
            is_last=told.next_shard_iterator is None,
            has_children=bool(told.child_shards),
        )

    def digested(self, portion: Portion, digest: Digest, cursor: Cursor) -> None:
        following = None if digest.is_cut else self._following
        self._iterator = None if following is None else _Iterator(following, cursor.point, cursor.anchored)
        self._size.learn(digest.taken, digest.read + RECORD_OVERHEAD * digest.taken, digest.memory)
        self._pace.took(size_of(portion.records) if digest.is_cut else digest.read)
        if portion.lag_ms:
            return
        if not portion.records:
            around = self._around
            self._pace.rest(around.settings.poll_interval_s * around.random.uniform(0.9, 1.1))
        elif not digest.is_cut and not portion.is_full:
            self._pace.rest(_JUST_READ_S)

    async def _iterator_at(self, cursor: Cursor) -> str:
        if self._iterator is None or not self._iterator.is_at(cursor):
            found = await self._around.api.shard_iterator(self._shard, cursor.point, inclusive=cursor.anchored)
            self._iterator = _Iterator(found, cursor.point, cursor.anchored)
            self._pace.begin()
        return self._iterator.text
