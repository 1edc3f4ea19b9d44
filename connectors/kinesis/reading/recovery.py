"""What follows a call that failed."""

from collections.abc import Awaitable

from connectors.base import GapError, TransientError
from connectors.kinesis.backoff import Backoff
from connectors.kinesis.faults import MissingError, StaleIteratorError, ThrottledError
from connectors.kinesis.reading.cursor import Cursor
from connectors.kinesis.reading.portion import Portion
from connectors.kinesis.reading.surroundings import Surroundings
from connectors.times import iso

_TRIES = 10


class Recovery:
    """Of one shard: another try in a while, or an error that says what is wrong."""

    def __init__(self, shard: str, cursor: Cursor, around: Surroundings) -> None:
        self._shard = shard
        self._cursor = cursor
        self._around = around
        self._backoff = Backoff(around.clock, around.random)
        self._stale = 0

    async def attempt(self, reading: Awaitable[Portion]) -> Portion | None:
        """What ``reading`` brings; None after a fault that calls for another try, once it is time for that.

        Raises what a person has to know: faults that many tries did not end too, so that the lane shows them.
        """
        try:
            portion = await reading
        except ThrottledError as error:
            self._around.observer.throttled(_operation(error))
            await self._backoff.wait()
        except StaleIteratorError as error:
            self._count_stale(error)
        except MissingError as error:
            await self._explain(error)
        except TransientError as error:
            await self._again(error)
        else:
            self._backoff.reset()
            self._stale = 0
            return portion
        return None

    def _count_stale(self, error: StaleIteratorError) -> None:
        self._stale += 1
        if self._stale >= _TRIES:
            raise TransientError(error.operation, f"every iterator is refused: {error.cause}") from error
        self._around.observer.retried("GetRecords", "iterator")

    async def _again(self, error: TransientError) -> None:
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
            lost_to=iso(self._around.horizon_ms()),
            resume=None,
        ) from error


def _operation(error: TransientError) -> str:
    """The name of the API's operation that failed."""
    return error.operation.partition(" ")[0]
