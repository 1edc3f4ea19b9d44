"""Where records go that the sink cannot take, so that the lane can go on."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.engine.retry import Backoff
from connectors.base import Batch, Clock, ConnectorError, Header, Rejected, Sink

REASON_HEADER = "kmbridge-reason"
DETAIL_HEADER = "kmbridge-detail"


class DeadLetter:
    """Any sink, used for rejected records: each carries its origin, the reason and the detail as headers."""

    def __init__(self, sink: Sink, clock: Clock, backoff: Backoff) -> None:
        self._sink = sink
        self._clock = clock
        self._backoff = backoff

    async def bury(self, batch: Batch, rejected: Sequence[Rejected]) -> None:
        """Make the rejected records of ``batch`` durable here, however long that takes.

        Raises ``ConnectorError`` where that is not a matter of time, also when this sink rejects them too.
        """
        letter = _letter(batch, rejected)
        while True:
            try:
                await self._deliver(letter)
            except ConnectorError as error:
                if not error.retriable:
                    raise
                await self._clock.sleep(self._backoff.next())
            else:
                self._backoff.reset()
                return

    async def _deliver(self, letter: Batch) -> None:
        scope = await self._sink.begin()
        outcome = await scope.submit(letter.partition, letter)
        await scope.commit(_nothing)
        if outcome.rejected:
            raise ConnectorError(
                "dead letter", outcome.rejected[0].detail, "choose a dead_letter that can hold such records"
            )


async def _nothing() -> None:
    """A dead letter has no checkpoints of its own."""


def _letter(batch: Batch, rejected: Sequence[Rejected]) -> Batch:
    headers = [(*_headers(batch, each.index), *_reason(each)) for each in rejected]
    return replace(batch.pick([each.index for each in rejected]), headers=headers)


def _headers(batch: Batch, index: int) -> tuple[Header, ...]:
    return () if batch.headers is None else batch.headers[index]


def _reason(rejected: Rejected) -> tuple[Header, Header]:
    return (REASON_HEADER, rejected.reason.encode()), (DETAIL_HEADER, rejected.detail.encode())
