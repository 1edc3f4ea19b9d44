"""Where records go that the sink cannot take, so that the lane can go on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bridge.engine.nap import Nap
from bridge.engine.retry import Backoff
from connectors.base import Batch, ConnectorError, Header, Place, RefusedError, Rejected, Sink, TransientError

REASON_HEADER = "kmbridge-reason"
DETAIL_HEADER = "kmbridge-detail"


class DeadLetter:
    """A sink of its own for rejected records, beside the one that rejects them."""

    def __init__(self, sink: Sink, backoff: Backoff, hold_s: float) -> None:
        """``hold_s`` is how often a sink that waits for a person is tried again."""
        self._sink = sink
        self._hold_s = hold_s
        self._backoff = backoff
        self._nap = Nap()

    async def bury(self, letter: Batch, held: Callable[[ConnectorError], None]) -> tuple[Rejected, ...]:
        """Make ``letter`` durable here, however long that takes; ``held`` hears why it does.

        Returns those records that this sink can never take either, rising by index; nothing is certain of the others
        then.
        """
        while True:
            try:
                rejected = self._sink.inspect(letter) or await self._deliver(letter)
            except RefusedError as error:
                held(error)
                await self._nap.take(self._hold_s)
            except TransientError as error:
                held(error)
                await self._nap.take(self._backoff.next())
            else:
                self._backoff.reset()
                return rejected

    def hurry(self) -> None:
        """Try at once whatever waits for the next attempt."""
        self._nap.cut()

    async def look_again(self, lane: str) -> None:
        """As ``Sink.look_again``."""
        await self._sink.look_again(lane)

    async def _deliver(self, letter: Batch) -> tuple[Rejected, ...]:
        scope = await self._sink.begin()
        outcome = await scope.submit(letter.partition, letter)
        await scope.commit(_nothing)
        return outcome.rejected


async def _nothing(_: Mapping[str, Place]) -> None:
    """A dead letter has no checkpoints of its own."""


def letter_of(batch: Batch, rejected: Sequence[Rejected]) -> Batch:
    """``batch``, which is the ``rejected`` records, with the reason and the detail among their headers."""
    before: Sequence[tuple[Header, ...]] = [()] * len(batch) if batch.headers is None else batch.headers
    headers = [(*own, *_reason(each)) for own, each in zip(before, rejected, strict=True)]
    return replace(batch, headers=headers)


def _reason(rejected: Rejected) -> tuple[Header, Header]:
    return (REASON_HEADER, rejected.reason.encode()), (DETAIL_HEADER, rejected.detail.encode())
