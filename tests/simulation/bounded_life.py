"""A job with an end, drawn from a seed: it crashes, records go on coming, shards split and merge."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import AsyncExitStack
from random import Random

from bridge.coordination.single import SingleWorker
from bridge.engine.mirror import Ends, Mirror
from bridge.engine.policy import OnError, Policy
from checkpoints.base import Bound, Checkpoint, CheckpointError, CheckpointStore
from checkpoints.memory import MemoryCheckpoints, MemorySlots, SharedMemoryCheckpoints
from connectors.base import ConnectorError, End, Partition, Record, Sink
from connectors.memory.cluster import Alone, MemoryCluster
from connectors.memory.entries import EntryMemorySink
from connectors.memory.sink import MemorySink
from connectors.memory.source import MemorySource
from connectors.memory.transactions import MemoryTopics, TransactionalMemorySink
from tests.simulation.invariants import ViolationError, check_once, check_parity
from tests.simulation.scenario import POISON, refusal
from tests.simulation.seat import PATIENCE_S
from tests.simulation.transforming import chain
from tests.simulation.virtual_time import VirtualClock, run
from tests.simulation.world import CollectedChanges, World


class BoundedLife:
    """Some records, the end, more records; a job that is killed again and again; then a mirror without an end."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self.world = World(seed, clock)
        self._clock = clock
        self._random: Random = self.world.random
        self._cluster = MemoryCluster(self._random)
        self._slots = MemorySlots(1)
        self._ran_on = False
        """Whether a mirror without an end came in between."""

    async def run(self) -> None:
        await self._write(self._random.randint(0, 60))
        inside = await self._freeze()
        more = asyncio.create_task(self._write(self._random.randint(0, 60)))
        for _ in range(self._random.randint(0, 6)):
            bounded = self._random.random() < 0.9
            self._ran_on |= not bounded
            await self._live(self._random.uniform(0.0, 10.0), bounded=bounded)
        await more
        self.world.faults.clear()
        while not await self._live(PATIENCE_S, bounded=True):
            await self._clock.sleep(1.0)
        report = await self._report()
        self._check_report(report, inside)
        if not await self._live(PATIENCE_S, bounded=True):
            raise ViolationError("a job that is complete does not end by itself")
        await self._live(PATIENCE_S, bounded=False)
        if await self._report() != report:
            raise ViolationError("a complete job is changed by what comes after it")
        check_parity(self.world.expected(), self.world.topic, reruns_whole=True)
        if self.world.scenario.transactions or self.world.scenario.entries:
            check_once(self.world.topic)

    async def _freeze(self) -> list[Record]:
        """Store where the job ends; the records of it."""
        source = MemorySource(self.world.stream, self._clock, self.world.faults)
        listing = [shard.partition for shard in self.world.stream.shards.values()]
        inside = list(self.world.written)
        ends = await source.ends(listing, None)
        frozen = {each.id: self._checkpoint(each, ends[each.id]) for each in listing}
        if self.world.scenario.transactions:
            self._slots.checkpoints.update(frozen)
        else:
            self.world.alone = MemoryCheckpoints(frozen, fault=self.world.faults.before_store)
        return inside

    def _checkpoint(self, partition: Partition, end: End) -> Checkpoint:
        bound = Bound("", "now", None, end.position, end.time_ms)
        return Checkpoint(None, None, finished=False, saved_ms=1, source="", sink="", bound=bound)

    async def _live(self, seconds: float, *, bounded: bool) -> bool:
        """One process, killed after ``seconds`` or when all is there; whether it came to its end by itself."""
        process = asyncio.create_task(self._process(bounded=bounded))
        deadline = self._clock.monotonic() + seconds
        while not process.done() and self._clock.monotonic() < deadline:
            if not bounded and self.world.is_there() and seconds == PATIENCE_S:
                break
            await self._clock.sleep(0.1)
        process.cancel()
        await asyncio.wait([process])
        if process.cancelled():
            return False
        if (error := process.exception()) is None:
            return process.result()
        if isinstance(error, CheckpointError | ConnectorError):
            return False
        raise error

    async def _process(self, *, bounded: bool) -> bool:
        world = self.world
        policy = Policy(
            checkpoint_interval_s=world.scenario.interval_s,
            memory=world.scenario.memory,
            on_error=OnError.DEAD_LETTER,
            bounded=bounded,
        )
        async with AsyncExitStack() as stack:
            sink, dead, store = self._parts()
            source = MemorySource(world.stream, self._clock, world.faults)
            for part in (store, source, sink, dead):
                if part is not None:
                    await stack.enter_async_context(part)
            transform = await stack.enter_async_context(chain(world.clock, world.faults))
            ends = Ends(source, sink, dead, transform if world.scenario.transforms else None)
            mirror = Mirror(ends, store, SingleWorker(), policy, clock=self._clock, random=self._random)
            await mirror.run()
            return mirror.is_complete

    def _parts(self) -> tuple[Sink, Sink | None, CheckpointStore]:
        world = self.world
        if world.scenario.transactions:
            changes, topics = CollectedChanges(), MemoryTopics(world.topic, world.dead)
            sink = TransactionalMemorySink(topics, self._cluster, changes, world.faults, Alone(), refuses=refusal)
            return sink, None, SharedMemoryCheckpoints(self._slots, changes, fault=world.faults.before_store)
        dead = MemorySink(world.dead, world.faults, self._random)
        if not world.scenario.entries:
            return MemorySink(world.topic, world.faults, self._random, refuses=refusal), dead, world.alone
        confirm = SingleWorker().confirm
        entries = EntryMemorySink(
            world.topic, self._clock, world.faults, self._random, confirm=confirm, away_s=3.0, refuses=refusal
        )
        return entries, dead, world.alone

    async def _report(self) -> Mapping[str, Bound | None]:
        if self.world.scenario.transactions:
            return {name: each.bound for name, each in self._slots.checkpoints.items() if each.bound is not None}
        return {name: each.bound for name, each in (await self.world.alone.load()).items() if each.bound is not None}

    def _check_report(self, report: Mapping[str, Bound | None], inside: Collection[Record]) -> None:
        """Every record of the range is counted once in its shard, but for those that are buried."""
        counted = {name: bound.records for name, bound in report.items() if bound is not None}
        world, is_done = self.world, self.world.is_done()
        taken = [record for record in inside if not world.is_refused(record)]
        wanted = Counter(part.partition for record in taken for part in world.parts(record))
        if counted != {name: wanted[name] for name in counted}:
            raise ViolationError(f"counted {counted}, there are {dict(wanted)}")
        if missing := [record.value for record in inside if not is_done(record)]:
            raise ViolationError(f"missing: {missing}")
        there = {
            (record.partition, record.position) for log in (*world.topic.partitions, world.buried()) for record in log
        }
        if not self._ran_on and (beyond := there - {(record.partition, record.position) for record in inside}):
            raise ViolationError(f"behind the end: {beyond}")

    async def _write(self, count: int) -> None:
        stream, random = self.world.stream, self._random
        for _ in range(count):
            poison = POISON if random.random() < self.world.scenario.poison else b""
            value = poison + b"%d" % len(self.world.written)
            self.world.written.append(stream.put(b"key-%d" % random.randrange(6), value))
            if random.random() < 0.05:
                stream.split(random.choice(stream.open_shards()))
            if random.random() < 0.2:
                await self._clock.sleep(random.uniform(0.0, 1.0))


def simulate(seed: int) -> None:
    """Raises ``ViolationError``, or whatever else went wrong, with the seed."""

    async def live(clock: VirtualClock) -> None:
        await BoundedLife(seed, clock).run()

    try:
        run(live)
    except BaseException as error:
        error.add_note(f"seed {seed}")
        raise
