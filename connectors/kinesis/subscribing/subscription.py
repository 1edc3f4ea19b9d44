"""One shard's subscription, taken out anew whenever it ends."""

from collections.abc import Mapping
from contextlib import AsyncExitStack

from connectors.base import Budget, Reservation, TransientError
from connectors.kinesis.answers import Record, SubscribeToShardEvent
from connectors.kinesis.faults import InvalidError, MissingError
from connectors.kinesis.position import After, Moment, Point
from connectors.kinesis.reading.cursor import Cursor
from connectors.kinesis.reading.portion import Portion
from connectors.kinesis.reading.read_size import MAX_RECORDS
from connectors.kinesis.reading.surroundings import Surroundings
from connectors.kinesis.subscribing.consumer import StreamConsumer
from connectors.kinesis.subscribing.frames import LARGEST_FRAME, Frames

# A shard may be subscribed to once a second for one consumer, refused calls among them, which arrive unevenly.
_CALL_S = 1.05
# A subscription lasts 5 minutes. Renewed before that, each at a time of its own, it has no end that is waited for.
_SHORTEST_S, _LONGEST_S = 240.0, 285.0
# The text of a frame stands beside the records while it is decoded, as base64.
_BODY_FACTOR = 1.8


class Subscription:
    """Events of one shard, the next of which is read when it is asked for: until then it waits with the server."""

    def __init__(self, shard: str, consumer: StreamConsumer, budget: Budget, around: Surroundings) -> None:
        self._shard = shard
        self._consumer = consumer
        self._budget = budget
        self._around = around
        self._frames: Frames | None = None
        self._open = AsyncExitStack()
        self._next_call = self._renewal = around.clock.monotonic()
        self._continuation: str | None = None
        self._is_proven = False
        """Whether the open one brought an event."""

    async def portion(self, cursor: Cursor) -> Portion | None:
        """What the next event brings beyond the cursor; None where that is too large to be taken at once.

        Raises what the call raises, and what an event tells of.
        """
        try:
            while True:
                frames = await self._frames_from(cursor)
                size = await frames.announced()
                if size is None:
                    await self._ended()
                    continue
                if size > LARGEST_FRAME:
                    return None
                reservation = await self._budget.reserve(int(size * _BODY_FACTOR))
                portion = await self._received(frames, reservation, cursor)
                if portion is not None:
                    return portion
        except BaseException:
            await self.aclose()
            raise

    async def forget(self) -> None:
        """Close it: the next one begins at the cursor, wherever this one had come to."""
        self._continuation = None
        await self.aclose()

    async def aclose(self) -> None:
        """Close it; the next one goes on where it ended."""
        self._frames = None
        await self._open.aclose()

    async def _frames_from(self, cursor: Cursor) -> Frames:
        clock = self._around.clock
        if self._frames is not None and clock.monotonic() >= self._renewal:
            await self.aclose()
        if self._frames is None:
            while (wait := self._next_call - clock.monotonic()) > 0:
                await clock.sleep(wait)
            self._frames = await self._subscribed(cursor)
        return self._frames

    async def _subscribed(self, cursor: Cursor) -> Frames:
        around = self._around
        arn = await self._consumer.arn()
        self._next_call = around.clock.monotonic() + _CALL_S
        self._is_proven = False
        try:
            answer = await self._open.enter_async_context(around.api.subscribe(arn, self._shard, self._start(cursor)))
        except MissingError:
            self._consumer.lost(arn)
            raise
        except InvalidError as error:
            if self._continuation is None:
                raise
            # The cursor's own place is known to be one.
            self._continuation = None
            raise TransientError(error.operation, error.cause) from error
        self._renewal = around.clock.monotonic() + around.random.uniform(_SHORTEST_S, _LONGEST_S)
        return Frames(answer, around.api.target)

    def _start(self, cursor: Cursor) -> Mapping[str, object]:
        """Where to begin. A record that comes again is left out, so that it need not be known which one a number is of:
        the last that came or the first that did not.
        """
        if self._continuation is not None:
            return {"Type": "AT_SEQUENCE_NUMBER", "SequenceNumber": self._continuation}
        match cursor.point:
            case After(sequence):
                return {"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": sequence}
            case Moment(ms):
                return {"Type": "AT_TIMESTAMP", "Timestamp": ms / 1000}
            case _:
                return {"Type": "TRIM_HORIZON"}

    async def _ended(self) -> None:
        """The server ended it, as it does after 5 minutes. One that brought nothing must not be asked for for ever."""
        await self.aclose()
        if not self._is_proven:
            raise TransientError(
                f"SubscribeToShard at {self._around.api.target}", "the subscription ended before its first event"
            )

    async def _received(self, frames: Frames, reservation: Reservation, cursor: Cursor) -> Portion | None:
        try:
            event = await frames.event()
        except BaseException:
            reservation.release()
            raise
        if event is None:
            reservation.release()
            return None
        self._is_proven = True
        self._continuation = event.continuation_sequence_number
        return self._portion(event, reservation, cursor)

    def _portion(self, event: SubscribeToShardEvent, reservation: Reservation, cursor: Cursor) -> Portion:
        children = bool(event.child_shards)
        return Portion(
            _beyond(cursor.point, event.records),
            event.millis_behind_latest,
            self._around.horizon_ms(),
            reservation,
            # It may have waited on the way for longer than anybody knows.
            read_ms=None,
            is_full=len(event.records) >= MAX_RECORDS,
            # Not every server leaves the number out; none names children before the end.
            is_last=event.continuation_sequence_number is None or (children and not event.records),
            has_children=children,
        )


def _beyond(point: Point, records: list[Record]) -> list[Record]:
    """``records`` without those at the front that stand at or before ``point``."""
    if not isinstance(point, After):
        return records
    sequence, behind = int(point.sequence), 0
    while behind < len(records) and int(records[behind].sequence_number) <= sequence:
        behind += 1
    return records[behind:] if behind else records
