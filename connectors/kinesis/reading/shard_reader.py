"""One lane's way through a shard, by whatever feeds it."""

from collections.abc import AsyncGenerator

from connectors.base import Batch, TransientError
from connectors.kinesis.reading.batch_maker import BatchMaker
from connectors.kinesis.reading.cursor import Cursor
from connectors.kinesis.reading.portion import Feed
from connectors.kinesis.reading.recovery import Recovery
from connectors.kinesis.reading.surroundings import Surroundings
from connectors.kinesis.reading.tip import Tip

_UNCONFIRMED_S = 1.0


class ShardReader:
    """Turns what ``feed`` brings into batches, from the place of ``cursor`` to the end of the shard."""

    def __init__(self, shard: str, cursor: Cursor, feed: Feed, tip: Tip, around: Surroundings) -> None:
        self._shard = shard
        self._cursor = cursor
        self._feed = feed
        self._around = around
        self._maker = BatchMaker(shard, cursor, tip, around)
        self._recovery = Recovery(shard, cursor, around)
        around.order.enter(shard, cursor.place)

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """As ``Source.read`` promises."""
        try:
            if self._around.settings.deaggregate == "kcl":
                self._maker.within = await self._around.directory.get(self._shard)
            while True:
                await self._look()
                portion = await self._recovery.attempt(self._feed.next(self._cursor))
                if portion is None:
                    continue
                digest = self._maker.digest(portion)
                self._feed.digested(portion, digest, self._cursor)
                batch, has_children = digest.batch, portion.has_children
                at_end = portion.is_last and not digest.is_cut
                # While the next read waits for the budget, this one's memory must be free as soon as the engine is
                # done.
                del portion, digest
                if batch is not None:
                    yield batch
                del batch
                if has_children:
                    self._around.directory.changed()
                if at_end and await self._has_ended(has_children=has_children):
                    return
        finally:
            await self._feed.aclose()

    async def _look(self) -> None:
        """Wait for the shard's turn, and make sure that the stream still is what it was."""
        await self._feed.turn()
        around = self._around
        summary = await around.watch.look()
        around.order.check(self._shard, self._cursor.place, summary, around.api.server_now_ms())

    async def _has_ended(self, *, has_children: bool) -> bool:
        """Whether the last portion is the end of the shard: its children are named, or a listing confirms it.

        Takes a second where none does: then one may.
        """
        if has_children:
            return True
        try:
            if await self._around.directory.has_ended(self._shard):
                return True
        except TransientError as error:
            self._around.observer.retried("ListShards", type(error).__name__)
        await self._around.clock.sleep(_UNCONFIRMED_S)
        return False
