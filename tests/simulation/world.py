"""What outlives every process: stream, topics, checkpoints, the group, and whoever watches them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from random import Random

from checkpoints.base import Checkpoint, CheckpointError, FencedError
from checkpoints.memory import MemoryCheckpoints, MemorySlots, SlotChange, Writer
from connectors.base import ConnectorError, Record
from connectors.memory.cluster import Membership, MemoryCluster, Transaction
from connectors.memory.entries import TimedTopic
from connectors.memory.source import MemoryStream
from connectors.memory.topic import MemoryTopic
from connectors.memory.transactions import Attachment
from tests.simulation.faults import SeededFaults, Weather
from tests.simulation.group import Group, Member
from tests.simulation.invariants import ViolationError, check_checkpoints, check_once, check_parity
from tests.simulation.scenario import Scenario, refusal
from tests.simulation.transforming import is_unfit, made
from tests.simulation.virtual_time import VirtualClock
from tests.simulation.visibility import Visibility


class World:
    """Made from a seed, with a scenario drawn from it first of all."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self.random = Random(seed)
        self.scenario = Scenario.drawn(self.random, Random(f"apart {seed}"))
        self.weather = Weather.drawn(self.random)
        self.faults = SeededFaults(self.weather, self.random, clock)
        self.clock = clock
        self.stream = MemoryStream("orders", self.scenario.shards, clock)
        self.topic = TimedTopic("orders", 3, clock)
        self.dead = MemoryTopic("dead", 1)
        self.written: list[Record] = []
        self.alone: MemoryCheckpoints = _CheckedCheckpoints(self)
        self.slots = MemorySlots(self.scenario.slots)
        self.group = Group(self.scenario.slots, self.random)
        self.cluster = _WatchedCluster(self)
        self.violations: list[BaseException] = []
        self.has_frozen = False
        self.has_forgotten_an_end = False
        """Whether a partition's end was not stored, so that its tail may come again behind what its children began."""
        self._may_be_passed: set[bytes | None] = set()

    def check(self) -> None:
        """Raises the first violation that was noticed where nobody could be told."""
        if self.violations:
            raise self.violations[0]

    def check_end(self) -> None:
        """All that was written is there."""
        self.check()
        # A skip may end a re-run in its midst.
        is_torn = self.has_frozen or self.has_forgotten_an_end or self.group.overruled or self._may_be_passed
        is_strict = not is_torn and self._hands_over_all()
        check_parity(self.expected(), self.topic, reruns_whole=is_strict)
        if self.scenario.entries:
            check_once(self.topic)
        if self.scenario.transactions and len(self.buried()) != len({record.value for record in self.buried()}):
            raise ViolationError("a dead letter is doubled")

    def buried(self) -> list[Record]:
        return self.dead.partitions[0]

    def parts(self, record: Record) -> tuple[Record, ...]:
        """What is to be in the topic of ``record``, which was written, if it is not buried."""
        return made(record) if self.scenario.transforms else (record,)

    def is_refused(self, record: Record) -> bool:
        """Whether ``record``, which was written, is to be buried."""
        if self.scenario.transforms and is_unfit(record):
            return True
        return any(refusal(part) for part in self.parts(record))

    def expected(self) -> list[Record]:
        """What is to be in the topic in the end, in the order in which it was written."""
        there = self._there()
        return [
            part
            for record in self.written
            if not self.is_refused(record)
            for part in self.parts(record)
            if record.value not in self._may_be_passed or part.value in there
        ]

    def is_there(self) -> bool:
        """Whether everything is in the topic or buried."""
        is_done = self.is_done()
        return all(record.value in self._may_be_passed or is_done(record) for record in self.written)

    def is_done(self) -> Callable[[Record], bool]:
        """Whether nothing of a record that was written is left to do, as it is now."""
        there, buried = self._there(), {record.value for record in self.buried()}

        def is_done(record: Record) -> bool:
            if self.is_refused(record):
                return record.value in buried
            return all(part.value in there for part in self.parts(record))

        return is_done

    def may_be_passed(self, shard: str, last: str) -> None:
        """An operator said that the records of ``shard`` up to ``last`` need not be mirrored."""
        self._may_be_passed |= {each.value for each in self.stream.shards[shard].records[: int(last) + 1]}

    def _there(self) -> set[bytes | None]:
        return {record.value for log in self.topic.partitions for record in log}

    def check_stored(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        is_done = self.is_done()
        check_checkpoints(
            checkpoints, self.stream, lambda record: record.value in self._may_be_passed or is_done(record)
        )

    def _hands_over_all(self) -> bool:
        """Not so where what is under way outlasts the time for it, or the last save of it fails.

        Others then begin with a re-run, while what comes behind it may be under way already.
        """
        weather = self.weather
        is_quick = weather.stall == 0.0 or weather.longest_s < 0.1
        return self.scenario.workers == 1 or (weather.error == 0.0 and is_quick)


class _CheckedCheckpoints(MemoryCheckpoints):
    """Looks at every save as it takes effect."""

    def __init__(self, world: World) -> None:
        super().__init__(fault=world.faults.before_store)
        self._world = world

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        self._world.check_stored(checkpoints)
        await super().save(checkpoints)


class _WatchedCluster(MemoryCluster):
    """Looks at every transaction: before it commits who its worker is, and then what can be seen."""

    def __init__(self, world: World) -> None:
        super().__init__(world.random)
        self._world = world
        self._visibility = Visibility(world.stream, world.dead.name, world.parts, world.is_refused)

    def prepare(self, transaction: Transaction) -> None:
        super().prepare(transaction)
        partitions = sorted({record.partition for _, record in transaction.records})
        for partition in partitions:
            if not _owns(transaction.membership, self._world.slots.slot_of(partition)):
                self._world.violations.append(ViolationError(f"{partition} is committed by who does not own it"))

    def end(self, transaction: Transaction, *, committed: bool) -> None:
        is_open = transaction in self._prepared
        super().end(transaction, committed=committed)
        if is_open and committed:
            try:
                self._visibility.committed(transaction, self._world.slots.checkpoints)
            except ViolationError as violation:
                self._world.violations.append(violation)


class CollectedChanges(Writer, Attachment):
    """The way of checkpoints into the sink's transactions."""

    def __init__(self) -> None:
        self._collected: list[SlotChange] | None = None

    def open(self) -> None:
        self._collected = []

    def take(self) -> Sequence[SlotChange]:
        collected, self._collected = self._collected, None
        return collected or ()

    def prepare(self, change: SlotChange) -> Callable[[], Awaitable[None]]:
        return partial(self._collect, change)

    async def _collect(self, change: SlotChange) -> None:
        if self._collected is None:
            raise CheckpointError("save", "no transaction is open")
        if change.checkpoints:
            self._collected.append(change)


class FencedChanges(Writer):
    """The way of checkpoints beside the sink: each save a transaction of its own, fenced by the group."""

    def __init__(self, world: World, member: Member) -> None:
        self._world = world
        self._member = member

    def prepare(self, change: SlotChange) -> Callable[[], Awaitable[None]]:
        try:
            return partial(self._write, change, self._member.generation())
        except ConnectorError as error:
            raise FencedError("save", str(error)) from error

    async def _write(self, change: SlotChange, generation: int) -> None:
        await self._world.clock.sleep(self._world.faults.stall())
        if not self._member.is_current(generation):
            ends = [each for each in change.checkpoints.values() if each is not None and each.finished]
            self._world.has_forgotten_an_end |= bool(ends)
            raise FencedError("save", f"generation {generation} is over")
        try:
            self._world.check_stored({name: each for name, each in change.checkpoints.items() if each is not None})
        except ViolationError as violation:
            self._world.violations.append(violation)
        change.end(committed=True)


def _owns(membership: Membership, slot: int) -> bool:
    return isinstance(membership, Member) and membership.owns(slot)
