"""A shard that is subscribed to, and asked where a subscription tells too little."""

from connectors.kinesis.reading.cursor import Cursor
from connectors.kinesis.reading.poll import Poll
from connectors.kinesis.reading.portion import Digest, Feed, Portion
from connectors.kinesis.reading.surroundings import Surroundings
from connectors.kinesis.reading.tip import Tip
from connectors.kinesis.subscribing.subscription import Subscription


class FanOutFeed(Feed):
    """Reads by the subscription, and by a poll:

    - at a place where it must be found out whether records behind it have expired: only an answer that begins with the
      record there proves that;
    - what of an event there was no room for in one batch, until nothing waits any more;
    - now and then at the tip, since how far an idle shard is certainly read is told by the time of an answer. An event
      has none: it may have waited on the way.
    """

    def __init__(self, subscription: Subscription, poll: Poll, tip: Tip, around: Surroundings) -> None:
        self._subscription = subscription
        self._poll = poll
        self._tip = tip
        self._around = around
        self._asks = False
        self._is_behind = False
        self._is_polled = False

    async def next(self, cursor: Cursor) -> Portion:
        if self._asks or self._is_behind or self._is_unproven(cursor):
            return await self._polled(cursor)
        portion = await self._subscription.portion(cursor)
        if portion is None:
            self._is_behind = True
            return await self._polled(cursor)
        try:
            # Only now: it may have been waited for until records behind the cursor expired.
            is_unproven = self._is_unproven(cursor)
        except BaseException:
            portion.reservation.release()
            raise
        if not is_unproven:
            return portion
        portion.reservation.release()
        return await self._polled(cursor)

    def digested(self, portion: Portion, digest: Digest, cursor: Cursor) -> None:
        if self._is_polled:
            self._is_polled = False
            self._poll.digested(portion, digest, cursor)
            waits = digest.is_cut or portion.is_full or portion.lag_ms > 0
            self._is_behind = self._is_behind and (cursor.anchored or waits)
        else:
            self._is_behind = digest.is_cut
            self._asks = not portion.records and not portion.lag_ms and self._tip.is_due and self._poll.is_due

    async def aclose(self) -> None:
        await self._subscription.aclose()

    def _is_unproven(self, cursor: Cursor) -> bool:
        """Whether the next answer has to begin with the record at the cursor. Raises ``GapError``."""
        cursor.check(self._around.horizon_ms(), self._around.watch.summary.created_ms)
        self._is_behind = self._is_behind or cursor.anchored
        return self._is_behind

    async def _polled(self, cursor: Cursor) -> Portion:
        self._asks = False
        if self._is_behind:
            # What it has is behind what is polled now.
            await self._subscription.forget()
        await self._poll.turn()
        portion = await self._poll.next(cursor)
        self._is_polled = True
        return portion
