"""A mirror of one shard with ten records, told of by whoever a test chooses."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random

from bridge.coordination.single import SingleWorker
from bridge.engine.mirror import Ends, Mirror
from bridge.engine.policy import Policy
from bridge.engine.status import LaneStatus
from bridge.engine.tracing import NO_TRACER, Tracer
from checkpoints.memory import MemoryCheckpoints
from connectors.base import ConnectorError
from connectors.memory.faults import Faults
from connectors.memory.sink import MemorySink
from connectors.memory.source import MemorySource, MemoryStream
from connectors.memory.topic import MemoryTopic
from tests.simulation.virtual_time import VirtualClock

RETENTION_MS = 86_400_000


class Failing(Faults):
    """Raises ``error`` at every such operation, while there is one, after as long as it takes to give up."""

    def __init__(self, operation: str, clock: VirtualClock, patience_s: float = 0.0) -> None:
        self.error: ConnectorError | None = None
        self._operation = operation
        self._clock = clock
        self._patience_s = patience_s

    async def before(self, operation: str, target: str) -> None:
        if operation == self._operation and (error := self.error) is not None:
            await self._clock.sleep(self._patience_s)
            raise error


class KeepingSource(MemorySource):
    @property
    def retention_ms(self) -> int:
        return RETENTION_MS


class Expelling(SingleWorker):
    """Of a group that may lose this worker."""

    def __init__(self) -> None:
        self.knows_us = True

    @property
    def is_member(self) -> bool:
        return self.knows_us


class SmallMirror:
    def __init__(self, clock: VirtualClock, tracer: Tracer = NO_TRACER) -> None:
        self.clock = clock
        self.writing = Failing("write", clock)
        self.reading = Failing("read", clock, patience_s=20.0)
        self.stream = MemoryStream("orders", 1, clock)
        self.topic = MemoryTopic("orders", 1)
        for number in range(10):
            self.stream.put(b"key", b"%d" % number)
        self._source = KeepingSource(self.stream, clock, self.reading, chunk=5)
        self._sink = MemorySink(self.topic, self.writing, Random(1))
        self._store = MemoryCheckpoints()
        ends = Ends(self._source, self._sink)
        self.group = Expelling()
        self.mirror = Mirror(ends, self._store, self.group, Policy(), clock=clock, random=Random(1), tracer=tracer)

    @property
    def written(self) -> int:
        return len(self.topic.partitions[0])

    def lane(self) -> LaneStatus:
        (lane,) = self.mirror.status().lanes
        return lane

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Drained on leaving, with ends that work."""
        async with self._source, self._sink, self._store:
            task = asyncio.create_task(self.mirror.run())
            yield
            self.writing.error = self.reading.error = None
            self.mirror.drain()
            await task

    async def when(self, condition: Callable[[], bool]) -> None:
        """Return as soon as ``condition`` holds."""
        async with asyncio.timeout(1000):
            while not condition():
                await self.clock.sleep(0.1)
