"""Reads one partition: batches, reserved before they are handed on, and gaps by their names."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace

from confluent_kafka import KafkaError, KafkaException

from connectors.base import Batch, Budget, Clock, ConnectorError, GapError, Place, TransientError
from connectors.kafka.connection import READ, kafka_error, translate
from connectors.kafka.fetching.chunk import Chunk
from connectors.kafka.fetching.fetcher import Fetcher
from connectors.kafka.fetching.inbox import Inbox
from connectors.kafka.fetching.offsets import OffsetDesk, before, following
from connectors.kafka.topic_state import TopicState

_OUT_OF_RANGE = {
    KafkaError._AUTO_OFFSET_RESET,  # noqa: SLF001
    KafkaError._LOG_TRUNCATION,  # noqa: SLF001
    KafkaError.OFFSET_OUT_OF_RANGE,
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all readers of a source share."""

    fetcher: Fetcher
    state: TopicState
    confirm: Callable[[], Awaitable[None]]
    """Raises ``ConnectorError`` where the topic is not the one that was opened."""
    offsets: OffsetDesk
    clock: Clock


class PartitionReader:
    """One lane's way through a partition.

    A watermark concerns what readers can see: a record in a transaction arrives with the commit.
    """

    def __init__(self, number: int, after: Place, budget: Budget, around: Surroundings) -> None:
        """Raises ``RefusedError`` where ``after`` is no place in a partition."""
        self._number = number
        self._place = after
        self._following = following(after)
        self._budget = budget
        self._around = around
        self._began_s = around.clock.monotonic()
        around.state.growth.enter(number, after)

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """As ``Source.read`` promises."""
        fetcher, readers = self._around.fetcher, self._around.state.readers
        self._check()
        inbox = fetcher.open(self._number, self._following)
        readers.add(inbox)
        try:
            while True:
                batch = await self._next(inbox)
                yield batch
                # While the next one is awaited, nothing here may keep the memory of one that is settled.
                del batch
        finally:
            readers.discard(inbox)
            fetcher.close(inbox)

    async def _next(self, inbox: Inbox) -> Batch:
        while True:
            self._check()
            inbox.is_asking = True
            if (memory := inbox.due()) is not None:
                batch = await self._read(inbox, memory)
            elif inbox.fault is not None:
                raise await self._explained(inbox.fault)
            elif self._observe():
                batch = Batch(str(self._number), self._place, reservation=await self._budget.reserve(0))
            else:
                self._around.fetcher.asked(inbox)
                await inbox.news()
                continue
            if batch is not None:
                inbox.is_asking = False
                return batch

    async def _read(self, inbox: Inbox, memory: int) -> Batch | None:
        """What waits, once there is room for it; None where it was taken back, or is no news."""
        reservation = await self._budget.reserve(memory)
        chunk = inbox.take(memory)
        if chunk is None or not self._moves(chunk):
            reservation.release()
            return None
        reservation.resize(chunk.memory)
        self._around.fetcher.taken(inbox, chunk.memory)
        return replace(self._batch(chunk), reservation=reservation)

    def _moves(self, chunk: Chunk) -> bool:
        """Go on to the end of ``chunk``; whether there is anything to tell of it."""
        moved = len(chunk) > 0 or chunk.following > self._following
        self._following = chunk.following
        if chunk.watermark_ms is not None:
            self._place = replace(self._place, watermark_ms=max(chunk.watermark_ms, self._place.watermark_ms or 0))
        if moved:
            self._place = before(chunk.following, self._place.watermark_ms)
        return moved

    def _batch(self, chunk: Chunk) -> Batch:
        behind = None if chunk.end is None else max(0, chunk.end - chunk.following)
        return Batch(
            str(self._number),
            self._place,
            chunk.positions,
            chunk.keys,
            chunk.values,
            chunk.timestamps_ms,
            chunk.headers,
            size=chunk.size,
            lag_ms=0 if behind == 0 else self._lag_ms(chunk),
            lag_records=behind,
        )

    def _lag_ms(self, chunk: Chunk) -> int:
        """Of a chunk that is not known to end at the tip, whatever time a producer gave its last record."""
        return max(1, self._around.clock.now_ms() - chunk.timestamps_ms[-1]) if len(chunk) else 1

    def _observe(self) -> bool:
        """Move the watermark of an idle partition; whether it moved."""
        seen_ms = self._around.state.is_read_to(self._number, self._following, self._began_s)
        if seen_ms is None or seen_ms <= (self._place.watermark_ms or 0):
            return False
        self._place = replace(self._place, watermark_ms=seen_ms)
        return True

    def _check(self) -> None:
        self._around.state.check(self._number, self._place, self._next_offset)

    @property
    def _next_offset(self) -> str:
        return str(self._following)

    @property
    def _operation(self) -> str:
        return f"read partition {self._number} of topic {self._around.state.topic.name}"

    async def _explained(self, fault: KafkaError) -> ConnectorError:
        """What stopped the fetching of this partition. Raises instead where the topic is another."""
        try:
            if fault.code() in _OUT_OF_RANGE:
                await self._around.confirm()
                return await self._gap(fault)
        except KafkaException as error:
            return translate(kafka_error(error), self._operation, "", access=READ)
        named = translate(fault, self._operation, "", access=READ)
        if named.retriable:
            await self._around.confirm()
        return named

    async def _gap(self, fault: KafkaError) -> ConnectorError:
        oldest, end = await asyncio.to_thread(self._around.offsets.bounds, self._number)
        here = self._following
        if here < oldest:
            return GapError(
                self._operation,
                f"its log begins at offset {oldest}: what stood before has expired or was deleted",
                "on_gap: continue goes on with the oldest record; a longer retention of the topic prevents it",
                lost_from=str(here),
                lost_to=str(oldest - 1),
                resume=before(oldest),
            )
        if here > end:
            return GapError(
                self._operation,
                f"its log ends at offset {end}, before what was read of it: it was cut off, or is another",
                "on_gap: continue goes on there; unclean.leader.election.enable=false prevents it",
                lost_from=str(end),
                lost_to=str(here - 1),
                resume=before(end),
            )
        return TransientError(self._operation, fault.str())
