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
from connectors.memory import Faults, MemorySink, MemorySource, MemoryStream, MemoryTopic
from tests.simulation.virtual_time import VirtualClock

RETENTION_MS = 86_400_000


class Failing(Faults):
    """Raises ``error`` at every write, while there is one."""

    def __init__(self) -> None:
        self.error: ConnectorError | None = None

    async def before(self, operation: str, target: str) -> None:
        if operation == "write" and self.error is not None:
            raise self.error


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
        self.writing = Failing()
        self.stream = MemoryStream("orders", 1, clock)
        self.topic = MemoryTopic("orders", 1)
        for number in range(10):
            self.stream.put(b"key", b"%d" % number)
        self._source = KeepingSource(self.stream, clock, Faults(), chunk=5)
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
        """Drained on leaving, with writes that succeed."""
        async with self._source, self._sink, self._store:
            task = asyncio.create_task(self.mirror.run())
            yield
            self.writing.error = None
            self.mirror.drain()
            await task

    async def when(self, condition: Callable[[], bool]) -> None:
        """Return as soon as ``condition`` holds."""
        async with asyncio.timeout(1000):
            while not condition():
                await self.clock.sleep(0.1)
