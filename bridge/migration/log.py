"""One side of a mirror, read in stretches: from a time or a position on, and never further than it is asked for."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import ClassVar, TypeVar

from bridge.engine.bounded import BoundedSource
from bridge.engine.budget import ByteBudget
from bridge.engine.persistent import read_on
from bridge.engine.retry import Backoff
from bridge.groups import together
from bridge.migration.leases.table import lease_table
from checkpoints.dynamodb.table import Table
from connectors.base import Batch, Clock, End, Partition, Place, Position, Source
from connectors.kafka.source import KafkaSource
from connectors.kinesis.polling import KinesisSource

T = TypeVar("T")
U = TypeVar("U")

_SIDE_BY_SIDE = 32

OLDEST_MS = 0
"""The time from which on all is read that is left."""


class Log(ABC):
    """A source, which its owner has entered."""

    tells_arrivals: ClassVar[bool]
    """Whether the times of records are when they arrived, and not what their producers say."""

    def __init__(self, source: Source, budget: ByteBudget, clock: Clock, backoff: Callable[[], Backoff]) -> None:
        self.source = source
        self.records = 0
        """Read so far, whatever for."""
        self._budget = budget
        self._clock = clock
        self._backoff = backoff

    @property
    def address(self) -> str:
        return self.source.address

    def rank(self, position: Position) -> tuple[int, ...]:
        """Sorts the positions of one partition."""
        return self.source.rank(position)

    async def listed(self) -> tuple[Partition, ...]:
        """The partitions that there are now."""
        async with aclosing(self.source.partitions()) as listings:
            return await anext(listings)

    async def ends(self, partitions: Sequence[Partition]) -> Mapping[str, End]:
        """Behind what is there now."""
        return await self.source.ends(partitions, None)

    @property
    @abstractmethod
    def retention_ms(self) -> int | None:
        """How long records are kept; None without a limit, or where none is told."""

    @abstractmethod
    async def at_time(self, partitions: Sequence[Partition], time_ms: int) -> Mapping[str, Place]:
        """From where all is read that arrived at ``time_ms`` or later, and perhaps more. Milliseconds since the epoch.

        Of a system that keeps no arrival the records' own times count: behind the first one of that time.
        """

    @asynccontextmanager
    async def reading(self, partition: str, after: Place, end: End) -> AsyncIterator[AsyncIterator[Batch]]:
        """The batches of a stretch that have records; the last one may be left unread.

        Raises what reading raises; what may pass is tried again some times.
        """
        async with aclosing(self._batches(partition, after, end)) as batches:
            yield batches

    async def time_behind(self, partition: str, place: Place, end: End) -> int | None:
        """When the first record behind ``place`` arrived; None where there is none before ``end``.

        Raises what reading raises.
        """
        async with self.reading(partition, place, end) as batches:
            async for batch in batches:
                return batch.arrived_ms[0]
        return None

    async def _batches(self, partition: str, place: Place, end: End) -> AsyncGenerator[Batch, None]:
        bounded = BoundedSource(self.source)
        bounded.bounds[partition] = end
        reading = read_on(bounded, Partition(partition), place, self._budget, self._clock, self._backoff())
        async with aclosing(reading) as batches:
            async for batch in batches:
                self.records += len(batch)
                if len(batch):
                    yield batch


class StreamLog(Log):
    """A Kinesis stream."""

    tells_arrivals = True

    def __init__(self, stream: KinesisSource, budget: ByteBudget, clock: Clock, backoff: Callable[[], Backoff]) -> None:
        super().__init__(stream, budget, clock, backoff)
        self.stream = stream

    @property
    def name(self) -> str:
        return self.address.rpartition(":")[2]

    @property
    def created_s(self) -> int:
        """When it was made, seconds since the epoch, as leases of several streams name it."""
        return self.stream.created_ms // 1000

    def lease_table(self, application: str, region: str | None, endpoint_url: str | None) -> Table:
        """That of a KCL application which reads the stream; in the stream's region where ``region`` is None."""
        return lease_table(application, region or self.address.split(":")[1], endpoint_url)

    @property
    def retention_ms(self) -> int:
        return self.stream.retention_ms

    async def at_time(self, partitions: Sequence[Partition], time_ms: int) -> Mapping[str, Place]:
        return await self.stream.at_time(partitions, time_ms)


class TopicLog(Log):
    """A Kafka topic."""

    tells_arrivals = False

    def __init__(self, topic: KafkaSource, budget: ByteBudget, clock: Clock, backoff: Callable[[], Backoff]) -> None:
        super().__init__(topic, budget, clock, backoff)
        self.topic = topic

    @property
    def retention_ms(self) -> int | None:
        return self.topic.retention_ms

    async def at_time(self, partitions: Sequence[Partition], time_ms: int) -> Mapping[str, Place]:
        return await self.topic.at_time(partitions, time_ms)


async def side_by_side(work: Callable[[T], Awaitable[U]], items: Iterable[T]) -> list[U]:
    """What ``work`` makes of each, some of them at a time. Raises the first error."""
    enough = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def one(item: T) -> U:
        async with enough:
            return await work(item)

    async with together() as tasks:
        running = [tasks.create_task(one(item)) for item in items]
    return [task.result() for task in running]
