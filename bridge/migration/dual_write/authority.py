"""The end that decides: a record counts as sent once it is there."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

import structlog

from bridge.engine.retry import Backoff
from bridge.migration.dual_write.look_back import LookBack
from bridge.migration.dual_write.since import Since
from bridge.migration.dual_write.stretch import Stretch
from connectors.base import Batch, Clock, ConnectorError, Outcome, Rejected, Scope, Sink, TransientError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a stretch: all of it is durable but what was rejected."""

    stretch: Stretch
    places: Sequence[str]
    """Of each record; empty where it is not known."""
    rejected: Mapping[int, Rejected]
    """By index."""


@dataclass(slots=True, eq=False)
class _Pending:
    stretch: Stretch
    since: Since
    batch: Batch
    rejected: dict[int, Rejected]
    places: list[str]
    left: list[int]
    """Indexes of the records that are neither rejected nor known to be there."""
    future: asyncio.Future[Outcome] | None = None


class Authority:
    """Hands stretches over in the order of the calls, and answers each once.

    Where the sink breaks, it is looked what had landed, and only the rest is sent again, in order. An error that a
    person must mend ends it: ``give_up`` hears of it, and nothing is answered any more.
    """

    def __init__(
        self,
        sink: Sink,
        look: LookBack,
        clock: Clock,
        random: Random,
        *,
        hear: Callable[[Answer], None],
        give_up: Callable[[Exception], None],
    ) -> None:
        """``sink`` is entered, and left by its owner after ``close``."""
        self._sink = sink
        self._look = look
        self._lane = look.writer
        self._clock = clock
        self._random = random
        self._hear = hear
        self._give_up = give_up
        self._pending: dict[int, _Pending] = {}
        """By the first number of each, in order."""
        self._scope: Scope | None = None
        self._mending: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Raises ``ConnectorError``."""
        self._scope = await self._sink.begin()

    async def close(self) -> None:
        """Give up what has no answer."""
        self._pending.clear()
        if self._mending is not None:
            self._mending.cancel()
            await asyncio.gather(self._mending, return_exceptions=True)

    def submit(self, stretch: Stretch, since: Since) -> None:
        """No end can have any of it from before ``since``."""
        batch = stretch.batch(self._lane, has_ids=self._look.can_tell)
        rejected = {each.index: each for each in self._sink.inspect(batch)}
        left = [index for index in range(len(batch)) if index not in rejected]
        pending = _Pending(stretch, since, batch, rejected, [""] * len(batch), left)
        self._pending[stretch.first] = pending
        if self._mending is None:
            self._send(pending)

    def _send(self, pending: _Pending) -> None:
        if self._scope is None:
            raise RuntimeError("the authority is not open")
        if not pending.left:
            self._settle(pending)
            return
        batch = pending.batch if len(pending.left) == len(pending.batch) else pending.batch.pick(pending.left)
        pending.future = self._scope.submit(self._lane, batch)
        pending.future.add_done_callback(partial(self._answered, pending))

    def _answered(self, pending: _Pending, future: asyncio.Future[Outcome]) -> None:
        if future.cancelled() or pending.future is not future or pending.stretch.first not in self._pending:
            return
        error = future.exception()
        if error is None:
            self._take(pending, future.result())
        elif not isinstance(error, ConnectorError):
            self._give_up(error if isinstance(error, Exception) else RuntimeError(repr(error)))
        elif self._mending is None:
            self._mending = asyncio.create_task(self._mend(error), name="dual-write authority")

    def _take(self, pending: _Pending, outcome: Outcome) -> None:
        for at, place in zip(pending.left, outcome.places or (), strict=False):
            pending.places[at] = place
        for each in outcome.rejected:
            pending.rejected[pending.left[each.index]] = each
        self._settle(pending)

    def _settle(self, pending: _Pending) -> None:
        del self._pending[pending.stretch.first]
        self._hear(Answer(pending.stretch, pending.places, pending.rejected))

    async def _mend(self, cause: ConnectorError) -> None:
        """Go on where the sink broke."""
        log.warning("the authority broke, and is looked into before anything is sent again", error=str(cause))
        try:
            found = await self._begun_again()
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody is answered any more
            self._give_up(error)
            return
        self._mending = None
        for pending in list(self._pending.values()):
            self._find(pending, found)
            self._send(pending)

    async def _begun_again(self) -> Mapping[int, str]:
        """What had landed before the break, once the sink takes more. Raises ``RefusedError``."""
        backoff = Backoff(self._random)
        while True:
            try:
                self._scope = await self._sink.begin()
                return await self._landed()
            except TransientError as error:
                log.warning("the authority does not answer", error=str(error))
                await self._clock.sleep(backoff.next())

    async def _landed(self) -> Mapping[int, str]:
        pending = list(self._pending.values())
        if not pending:
            return {}
        numbers = range(pending[0].stretch.first, pending[-1].stretch.numbers[-1] + 1)
        return (await self._look.landed(numbers, Since.first([each.since for each in pending]))).places

    def _find(self, pending: _Pending, found: Mapping[int, str]) -> None:
        """Some of it had landed before the break."""
        numbers = pending.stretch.numbers
        for index in pending.left:
            pending.places[index] = found.get(numbers[index], "")
        pending.left = [index for index in pending.left if numbers[index] not in found]
