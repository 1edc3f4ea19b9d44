"""The place of one worker: a process, and after its end the next one."""

import asyncio
from contextlib import AsyncExitStack
from contextvars import Context
from random import Random

from bridge.coordination.base import Coordinator
from bridge.coordination.single import SingleWorker
from bridge.engine.mirror import Ends, Mirror, MirrorFailedError
from bridge.engine.policy import OnError, Policy
from checkpoints.base import CheckpointError, CheckpointStore
from checkpoints.memory import SharedMemoryCheckpoints
from connectors.base import ConnectorError, Sink
from connectors.memory.entries import EntryMemorySink
from connectors.memory.sink import MemorySink
from connectors.memory.source import MemorySource
from connectors.memory.transactions import MemoryTopics, TransactionalMemorySink
from tests.simulation.group import SESSION_S, Member
from tests.simulation.invariants import ViolationError
from tests.simulation.scenario import refusal
from tests.simulation.transforming import chain
from tests.simulation.virtual_time import PROCESS, VirtualLoop
from tests.simulation.world import CollectedChanges, FencedChanges, World

PATIENCE_S = 600.0


class Seat:
    """Runs processes one after the other until told to close."""

    def __init__(self, world: World, number: int, loop: VirtualLoop) -> None:
        self._world = world
        self._random: Random = world.random
        self.name = f"worker-{number}"
        self._loop = loop
        self._running: asyncio.Task[None] | None = None
        self._member: Member | None = None
        self.is_frozen = False
        self._is_closing = False
        self.mirror: Mirror | None = None

    async def serve(self, first_s: float) -> None:
        await self._world.clock.sleep(first_s)
        while not self._is_closing:
            context = Context()
            context.run(PROCESS.set, self.name)
            self._running = self._loop.create_task(self._live(), name=self.name, context=context)
            await asyncio.wait([self._running])
            self.mirror = self._member = None
            if not self._running.cancelled():
                self._judge(self._running.exception())
            if not self._is_closing:
                await self._world.clock.sleep(self._random.uniform(0.0, 5.0))

    def crash(self) -> None:
        """As a kill does: nothing is saved, and nobody says goodbye."""
        if self._running is not None and not self._running.done() and not self.is_frozen:
            if self._member is not None:
                self._member.die()
            self._running.cancel()

    def leave(self) -> None:
        if self.mirror is not None:
            self.mirror.drain()

    def close(self) -> None:
        """Leave, and nobody comes after."""
        self._is_closing = True
        self.leave()

    async def freeze(self, seconds: float) -> None:
        """Nothing of the process goes on for so long. Its session may end meanwhile."""
        if self.mirror is None or self.is_frozen:
            return
        member = self._member
        self._world.has_frozen = self.is_frozen = True
        self._loop.freeze(self.name)
        if member is not None:
            member.freeze()
        await self._world.clock.sleep(seconds)
        if member is not None:
            member.thaw()
        self._loop.thaw(self.name)
        self.is_frozen = False

    async def _live(self) -> None:
        world = self._world
        source = MemorySource(world.stream, world.clock, world.faults)
        async with AsyncExitStack() as stack:
            sink, dead, store, coordinator = self._parts()
            for part in (store, source, sink, dead, coordinator):
                if part is not None:
                    await stack.enter_async_context(part)
            policy = Policy(
                checkpoint_interval_s=world.scenario.interval_s,
                memory=world.scenario.memory,
                on_error=OnError.DEAD_LETTER,
                drain_s=PATIENCE_S,
            )
            transform = await stack.enter_async_context(chain(world.clock, world.faults))
            ends = Ends(source, sink, dead, transform if world.scenario.transforms else None)
            mirror = Mirror(ends, store, coordinator, policy, clock=world.clock, random=self._random)
            self.mirror = mirror
            await mirror.run()
        if (used := mirror.status().buffered_bytes) != 0:
            raise ViolationError(f"{used} bytes of the budget were never given back")

    def _parts(self) -> tuple[Sink, Sink | None, CheckpointStore, Coordinator]:
        world = self._world
        if world.scenario.transactions:
            member, changes = self._join(), CollectedChanges()
            topics = MemoryTopics(world.topic, world.dead)
            foresees = world.scenario.foresees
            transactional = TransactionalMemorySink(
                topics, world.cluster, changes, world.faults, member, refuses=refusal, foresees=foresees
            )
            store = SharedMemoryCheckpoints(world.slots, changes, fault=world.faults.before_store)
            return transactional, None, store, member
        dead = MemorySink(world.dead, world.faults, self._random)
        if not world.scenario.grouped:
            alone = SingleWorker()
            return self._sink(alone), dead, world.alone, alone
        member = self._join()
        fenced = FencedChanges(world, member)
        store = SharedMemoryCheckpoints(world.slots, fenced, fault=world.faults.before_store)
        return self._sink(member), dead, store, member

    def _sink(self, coordinator: Coordinator) -> Sink:
        world = self._world
        if not world.scenario.entries:
            return MemorySink(world.topic, world.faults, self._random, refuses=refusal)
        return EntryMemorySink(
            world.topic,
            world.clock,
            world.faults,
            self._random,
            confirm=coordinator.confirm,
            away_s=SESSION_S / 2,
            refuses=refusal,
        )

    def _join(self) -> Member:
        self._member = Member(self._world.group, self._world.clock, self._random)
        return self._member

    def _judge(self, error: BaseException | None) -> None:
        """A process may end for want of its store or sink, and comes again; anything else is wrong."""
        if error is None or isinstance(error, (CheckpointError, ConnectorError)):
            return
        if isinstance(error, MirrorFailedError):
            error = ViolationError(f"the mirror gave up: {error}")
        self._world.violations.append(error)
