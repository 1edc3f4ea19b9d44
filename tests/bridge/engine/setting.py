"""A mirror over two shards in virtual time, for stories about it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random

from bridge.coordination.single import SingleWorker
from bridge.engine.mirror import Ends, Mirror
from bridge.engine.policy import Policy
from bridge.engine.status import LaneState, LaneStatus
from checkpoints.memory import MemoryCheckpoints
from connectors.base import ConnectorError, Record
from connectors.memory.faults import Faults
from connectors.memory.sink import MemorySink
from connectors.memory.source import MemorySource, MemoryStream
from connectors.memory.topic import MemoryTopic
from connectors.transform import Transform
from tests.simulation.virtual_time import VirtualClock, run

POISON = b"poison"


class Plan(Faults):
    """Raises what it is told to, at the next operations of that kind on that target; None lets one pass."""

    def __init__(self) -> None:
        self.errors: dict[tuple[str, str], Sequence[ConnectorError | None]] = {}

    async def before(self, operation: str, target: str) -> None:
        if waiting := self.errors.get((operation, target)):
            error, *self.errors[(operation, target)] = waiting
            if error is not None:
                raise error


class Setting:
    """A stream of two shards with ten records each, a topic, and the mirror between them."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.plan = Plan()
        self.dead_plan = Plan()
        self.stream = MemoryStream("orders", 2, clock)
        self.topic = MemoryTopic("orders", 2)
        self.dead = MemoryTopic("dead", 1)
        self.store = MemoryCheckpoints()
        self.mirror: Mirror | None = None
        self.sink: type[MemorySink] = MemorySink
        self.dead_kind: type[MemorySink] = MemorySink
        self.dead_refuses: Callable[[Record], str | None] | None = None
        self.dead_sink: MemorySink | None = None
        self.transform: Transform | None = None
        number = 0
        while min(len(shard.records) for shard in self.stream.shards.values()) < 10:
            self.stream.put(b"key-%d" % (number % 7), b"%d" % number)
            number += 1

    async def run(self, until: Callable[[], bool], policy: Policy | None = None) -> None:
        """Run a mirror until the condition holds, then drain it. Raises what the mirror raises."""
        policy = policy or Policy()
        source = MemorySource(self.stream, self.clock, self.plan, chunk=4)
        sink = self.sink(self.topic, self.plan, Random(1), refuses=refused)
        self.dead_sink = dead = self.dead_kind(self.dead, self.dead_plan, Random(1), refuses=self.dead_refuses)
        async with source, sink, dead, self.store:
            ends = Ends(source, sink, dead, self.transform)
            self.mirror = Mirror(ends, self.store, SingleWorker(), policy, clock=self.clock, random=Random(1))
            running = asyncio.create_task(self.mirror.run())
            async with asyncio.timeout(1000):
                while not until() and not running.done():
                    await self.clock.sleep(0.1)
            self.mirror.drain()
            await running

    def lane(self, partition: str) -> LaneStatus:
        assert self.mirror is not None
        return next((lane for lane in self.mirror.status().lanes if lane.partition == partition), _ABSENT)

    def mirrored(self) -> list[bytes | None]:
        return [record.value for log in self.topic.partitions for record in log]

    def all_there(self, but: int = 0) -> bool:
        return len(self.mirrored()) == sum(len(shard.records) for shard in self.stream.shards.values()) - but


_ABSENT = LaneStatus("", LaneState.WAITING, None, 0, None, 0, 0.0, None, None)


def refused(record: Record) -> str | None:
    return "too_large" if (record.value or b"").startswith(POISON) else None


def play(story: Callable[[Setting], Awaitable[None]]) -> None:
    async def main(clock: VirtualClock) -> None:
        await story(Setting(clock))

    run(main)
