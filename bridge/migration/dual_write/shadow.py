"""The end that follows: it gets what the authority has, in the same order of each key, whenever it can."""

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from itertools import islice

import structlog

from bridge.assembly.opening import reached
from bridge.engine.retry import Backoff
from bridge.groups import together
from bridge.migration.dual_write.counts import Tally
from bridge.migration.dual_write.errors import SpoolError
from bridge.migration.dual_write.intent import Intent
from bridge.migration.dual_write.journal import Journal
from bridge.migration.dual_write.look_back import LookBack
from bridge.migration.dual_write.owed import Owed
from connectors.base import Batch, Clock, ConnectorError, Outcome, Rejected, Scope, Sink, TransientError

log = structlog.get_logger(__name__)

_WINDOW = 16 * 2**20
"""Bytes that are on their way at once."""

Settle = Callable[[Intent], None]
"""Told of each intent that needs nothing more."""


class Shadow:
    """Follows until it is cancelled, whatever breaks meanwhile.

    At the start, and after each break, it is looked which of the records that may have been sent are there: so none is
    sent twice where records can say which they are. Then all that is not settled is sent, from the oldest on.
    """

    def __init__(
        self,
        make: Callable[[], Sink],
        look: LookBack,
        owed: Owed,
        journal: Journal,
        clock: Clock,
        backoff: Backoff,
        tally: Tally,
    ) -> None:
        """``make`` gives a sink that is not entered."""
        self._make = make
        self._look = look
        self._owed = owed
        self._journal = journal
        self._clock = clock
        self._backoff = backoff
        self._tally = tally
        self._sent_to = journal.opened.last
        """Intents up to this one may have been sent."""

    async def run(self, settle: Settle) -> None:
        """Never returns. Raises what is no error of an end or of the spool."""
        while True:
            try:
                async with reached("shadow", self._make()) as sink:
                    await self._follow_again(sink, settle)
            except (ConnectorError, SpoolError) as error:
                await self._rest(error)

    async def _follow_again(self, sink: Sink, settle: Settle) -> None:
        """Follow over and over in one sink, as long as that can begin again by itself."""
        while True:
            scope = await sink.begin()
            try:
                await self._follow(sink, scope, settle)
            except TransientError as error:
                await self._rest(error)

    async def _follow(self, sink: Sink, scope: Scope, settle: Settle) -> None:
        """From the oldest intent that is not settled. Raises what breaks it."""
        sent_to, landed = self._sent_to, await self._landed()
        self._owed.rewind()
        self._tally.shadow_trouble = ""
        way = _Way(sink, scope, self._look, self._tally, self._settled(settle))
        try:
            async with together() as tasks:
                tasks.create_task(way.broken(), name="dual-write shadow broken")
                while True:
                    intent = await self._owed.next()
                    await scope.room(way.lane)
                    self._sent_to = max(self._sent_to, intent.first)
                    way.send(intent, landed if intent.first <= sent_to else ())
                    await way.room()
        finally:
            way.end()

    def _settled(self, settle: Settle) -> Settle:
        def heard(intent: Intent) -> None:
            self._backoff.reset()
            settle(intent)

        return heard

    async def _landed(self) -> Collection[int]:
        """The numbers of records that may have been sent before, and are there."""
        unsettled = await self._journal.unsettled(self._sent_to)
        if unsettled is None or not self._look.can_tell:
            return ()
        number, since = unsettled
        return (await self._look.landed_at_last(range(number, self._journal.numbered), since)).places

    async def _rest(self, error: Exception) -> None:
        self._tally.shadow_trouble = str(error)
        log.warning("the shadow does not follow, its records wait in the spool", error=str(error))
        await self._clock.sleep(self._backoff.next())


class _Way:
    """What is on its way in one scope."""

    def __init__(self, sink: Sink, scope: Scope, look: LookBack, tally: Tally, settle: Settle) -> None:
        self.lane = look.writer
        self._sink = sink
        self._scope = scope
        self._has_ids = look.can_tell
        self._tally = tally
        self._settle = settle
        self._size = 0
        self._moved = asyncio.Event()
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, intent: Intent, landed: Collection[int]) -> None:
        """Submit what is to be had of ``intent`` and is not among those that ``landed``."""
        rest = None if intent.stretch is None else intent.stretch.without(landed)
        self._tally.shadow_written += len(intent.stretch or ()) - len(rest or ())
        batch = None if rest is None else self._acceptable(rest.batch(self.lane, has_ids=self._has_ids))
        if not batch:
            self._settle(intent)
            return
        self._size += intent.size
        answer = self._scope.submit(self.lane, batch)
        answer.add_done_callback(partial(self._heard, intent, batch))

    async def room(self) -> None:
        """Wait until not too much is on its way."""
        while self._size > _WINDOW:
            self._moved.clear()
            await self._moved.wait()

    async def broken(self) -> None:
        """Wait for what breaks it, and raise that."""
        await self._over

    def end(self) -> None:
        """Hear of nothing any more: all that is not settled is going to be looked for."""
        self._over.cancel()

    def _heard(self, intent: Intent, batch: Batch, answer: asyncio.Future[Outcome]) -> None:
        if answer.cancelled() or self._over.done():
            return
        error = answer.exception()
        if error is not None:
            self._over.set_exception(error)
            return
        self._size -= intent.size
        self._moved.set()
        rejected = answer.result().rejected
        self._count(batch, rejected)
        self._tally.shadow_written += len(batch) - len(rejected)
        self._settle(intent)

    def _acceptable(self, batch: Batch) -> Batch:
        """What of it the shadow can take: that is asked only now that the authority has it."""
        refused = self._sink.inspect(batch)
        self._count(batch, refused)
        return batch.without(refused)

    def _count(self, batch: Batch, refused: Collection[Rejected]) -> None:
        self._tally.shadow_rejected.update(each.reason for each in refused)
        for each in islice(refused, 1):
            name = f"{self.lane}/{batch.positions[each.index]}"
            log.error("the shadow can never take", records=len(refused), first=name, detail=each.detail)
