"""One life of a mirror, drawn from a seed: records, reshards, faults, crashes and restarts, until all is mirrored."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from bridge.coordination.single import SingleWorker
from bridge.engine.mirror import Ends, Mirror, MirrorFailedError
from bridge.engine.policy import OnError, Policy
from bridge.engine.status import LaneStatus, MirrorStatus
from checkpoints.base import Checkpoint, CheckpointError
from checkpoints.memory import MemoryCheckpoints
from connectors.base import Record, Sink, Source
from connectors.memory import MemorySink, MemorySource, MemoryStream, MemoryTopic
from tests.simulation.faults import SeededFaults, Weather
from tests.simulation.invariants import ViolationError, check_checkpoints, check_parity
from tests.simulation.virtual_time import VirtualClock, run

_PATIENCE_S = 4000.0
_POISON = b"poison"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What the seed decides before the first step."""

    shards: int
    keys: int
    records: int
    reshards: int
    crashes: int
    memory: int
    poison: float

    @classmethod
    def drawn(cls, random: Random) -> "Scenario":
        return cls(
            shards=random.randint(1, 4),
            keys=random.randint(1, 12),
            records=random.randint(20, 150),
            reshards=random.choice((0, 1, 3)),
            crashes=random.choice((0, 1, 4)),
            memory=random.choice((40, 400, 100_000)),
            poison=random.choice((0.0, 0.0, 0.05)),
        )


class CheckedCheckpoints(MemoryCheckpoints):
    """Looks at every save as it takes effect."""

    def __init__(self, life: "Life") -> None:
        super().__init__(fault=life.faults.before_store)
        self._life = life

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        check_checkpoints(checkpoints, self._life.stream, self._life.topic, self._life.buried())
        await super().save(checkpoints)


class Life:
    """The world around the mirror under test, which outlives its crashes."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self.random = Random(seed)
        self.scenario = Scenario.drawn(self.random)
        self.faults = SeededFaults(Weather.drawn(self.random), self.random, clock)
        self.clock = clock
        self.stream = MemoryStream("orders", self.scenario.shards, clock)
        self.topic = MemoryTopic("orders", 3)
        self.dead = MemoryTopic("dead", 1)
        self.store = CheckedCheckpoints(self)
        self.written: list[Record] = []
        self._mirror: Mirror | None = None

    def buried(self) -> list[Record]:
        return self.dead.partitions[0]

    async def run(self) -> None:
        """Write, crash and restart as drawn; then clear weather, until all is mirrored; then a clean drain."""
        writing = asyncio.create_task(self._write())
        for _ in range(self.scenario.crashes):
            await self._incarnation(self.clock.sleep(self.random.uniform(0.0, 20.0)), drained=False)
        while not await self._incarnation(self._until_mirrored(writing), drained=True):
            pass
        check_parity(self.written, self.topic, self.buried())
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            raise ViolationError(f"tasks left behind: {left}")

    async def _incarnation(self, end: Coroutine[Any, Any, None], *, drained: bool) -> bool:
        """One process's life: until ``end``, then drained, or killed. False when it gave up for want of a store."""
        source = MemorySource(self.stream, self.clock, self.faults)
        topic = MemorySink(self.topic, self.faults, self.random, refuses=_refuse)
        dead = MemorySink(self.dead, self.faults, self.random)
        async with source, topic, dead, self.store:
            mirror = self._mirror = self._build(source, topic, dead)
            running = asyncio.create_task(mirror.run())
            ending = asyncio.create_task(end)
            await asyncio.wait([running, ending], return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                mirror.drain() if drained else running.cancel()
            else:
                ending.cancel()
            try:
                await running
            except asyncio.CancelledError:
                if drained:
                    raise
            except CheckpointError:
                return False
            except MirrorFailedError as error:
                raise ViolationError(f"the mirror gave up: {error}") from error
            finally:
                await asyncio.wait([ending])
            if not ending.cancelled():
                ending.result()
        if (used := mirror.status().buffered_bytes) != 0 and drained:
            raise ViolationError(f"{used} bytes of the budget were never given back")
        return True

    def _build(self, source: Source, sink: Sink, dead: Sink) -> Mirror:
        policy = Policy(memory=self.scenario.memory, on_error=OnError.DEAD_LETTER, drain_s=_PATIENCE_S)
        ends = Ends(source, sink, dead)
        return Mirror(ends, self.store, SingleWorker(), policy, clock=self.clock, random=self.random)

    async def _write(self) -> None:
        """Put the records, and split or merge shards in between."""
        reshards = {self.random.randrange(self.scenario.records) for _ in range(self.scenario.reshards)}
        for number in range(self.scenario.records):
            key = b"key-%d" % self.random.randrange(self.scenario.keys)
            poison = _POISON if self.random.random() < self.scenario.poison else b""
            self.written.append(self.stream.put(key, poison + b"%d" % number))
            if number in reshards:
                self._reshard()
            if self.random.random() < 0.2:
                await self.clock.sleep(self.random.uniform(0.0, 2.0))

    def _reshard(self) -> None:
        shards = sorted(self.stream.open_shards(), key=lambda shard: shard.first)
        place = self.random.randrange(len(shards))
        if place + 1 < len(shards) and self.random.random() < 0.5:
            self.stream.merge(shards[place], shards[place + 1])
        else:
            self.stream.split(shards[place])

    async def _until_mirrored(self, writing: asyncio.Task[None]) -> None:
        await asyncio.wait([writing])
        writing.result()
        await self.clock.sleep(self.random.uniform(0.0, 30.0))
        self.faults.clear()
        async with asyncio.timeout(_PATIENCE_S):
            while not self._is_mirrored():
                self._check_budget()
                await self.clock.sleep(1.0)

    def _is_mirrored(self) -> bool:
        """Everything is in the topic or buried, and every lane of this incarnation knows that."""
        values = {record.value for record in self.written}
        there = {record.value for log in (*self.topic.partitions, self.buried()) for record in log}
        return values <= there and all(self._stands_at_end(lane) for lane in self._status().lanes)

    def _stands_at_end(self, lane: LaneStatus) -> bool:
        records = self.stream.shards[lane.partition].records
        return not records or lane.position == records[-1].position

    def _status(self) -> MirrorStatus:
        assert self._mirror is not None
        return self._mirror.status()

    def _check_budget(self) -> None:
        if (used := self._status().buffered_bytes) > self.scenario.memory:
            raise ViolationError(f"{used} bytes held, {self.scenario.memory} allowed")


def _refuse(record: Record) -> str | None:
    return "poison" if (record.value or b"").startswith(_POISON) else None


def simulate(seed: int) -> list[list[bytes | None]]:
    """Live the life of ``seed``; what the topic's partitions hold in the end.

    Raises ``ViolationError``, or whatever else went wrong, with a line to reproduce it.
    """

    async def live(clock: VirtualClock) -> MemoryTopic:
        life = Life(seed, clock)
        await life.run()
        return life.topic

    try:
        topic = run(live)
    except BaseException as error:
        error.add_note(f"reproduce: python -m tests.simulation {seed}")
        raise
    return [[record.value for record in log] for log in topic.partitions]
