"""One life of a mirror, drawn from a seed: records, reshards, faults, and what happens to its workers."""

import asyncio
from collections import Counter
from collections.abc import Callable
from random import Random

from tests.simulation.invariants import ViolationError
from tests.simulation.operator import Operator
from tests.simulation.scenario import POISON
from tests.simulation.seat import PATIENCE_S, Seat
from tests.simulation.transforming import GROWTH
from tests.simulation.virtual_time import VirtualClock, VirtualLoop, run
from tests.simulation.world import World


class Life:
    """Writes and strikes as drawn; then clear weather, until all is mirrored; then a clean drain."""

    def __init__(self, seed: int, clock: VirtualClock) -> None:
        self.world = World(seed, clock)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        self._clock = clock
        self._random = self.world.random
        self._scenario = self.world.scenario
        self._seats = [Seat(self.world, number, loop) for number in range(self._scenario.workers)]
        self._operator = Operator(self.world, self._seats, Random(f"operator {seed}"))
        self._freezes: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        writing = asyncio.create_task(self._write())
        operating = asyncio.create_task(self._operator.work(self._scenario.orders))
        late = [0.0] + [self._random.choice((0.0, self._random.uniform(0.0, 20.0))) for _ in self._seats[1:]]
        serving = [asyncio.create_task(seat.serve(first_s)) for seat, first_s in zip(self._seats, late, strict=True)]
        for _ in range(self._scenario.strikes):
            await self._clock.sleep(self._random.uniform(0.0, 10.0))
            self._strike(self._random.choice(self._seats))
        await asyncio.wait([writing, operating, *self._freezes])
        writing.result()
        operating.result()
        await self._clock.sleep(self._random.uniform(0.0, 20.0))
        self.world.faults.clear()
        await self._until_mirrored()
        for seat in self._seats:
            seat.close()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait(serving)
        for served in serving:
            served.result()
        self.world.check_end()
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            raise ViolationError(f"tasks left behind: {left}")

    def _strike(self, seat: Seat) -> None:
        strikes = [seat.crash, seat.crash, seat.leave]
        if self._scenario.grouped:
            strikes += [self._freeze(seat), self._freeze(seat), self.world.group.shuffle]
        self._random.choice(strikes)()

    def _freeze(self, seat: Seat) -> Callable[[], None]:
        seconds = self._random.choice((self._random.uniform(0.1, 5.0), self._random.uniform(5.0, 40.0)))

        def freeze() -> None:
            self._freezes.append(asyncio.create_task(seat.freeze(seconds)))

        return freeze

    async def _write(self) -> None:
        """Put the records, and split or merge shards in between."""
        reshards = {self._random.randrange(self._scenario.records) for _ in range(self._scenario.reshards)}
        for number in range(self._scenario.records):
            key = b"key-%d" % self._random.randrange(self._scenario.keys)
            poison = POISON if self._random.random() < self._scenario.poison else b""
            self.world.written.append(self.world.stream.put(key, poison + b"%d" % number))
            if number in reshards:
                self._reshard()
            if self._random.random() < 0.2:
                await self._clock.sleep(self._random.uniform(0.0, 2.0))

    def _reshard(self) -> None:
        stream = self.world.stream
        shards = sorted(stream.open_shards(), key=lambda shard: shard.first)
        place = self._random.randrange(len(shards))
        if place + 1 < len(shards) and self._random.random() < 0.5:
            stream.merge(shards[place], shards[place + 1])
        else:
            stream.split(shards[place])

    async def _until_mirrored(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not self._is_mirrored():
                if self._scenario.orders:
                    await self._operator.resume_all()
                self.world.check()
                self._check_budget()
                await self._clock.sleep(1.0)

    def _is_mirrored(self) -> bool:
        """Everything is there, and every open shard has a lane, one, which knows that."""
        lanes = [lane for seat in self._seats if seat.mirror is not None for lane in seat.mirror.status().lanes]
        counts = Counter(lane.partition for lane in lanes)
        shards = self.world.stream.shards
        return (
            self.world.is_there()
            and all(counts[shard.partition.id] == 1 for shard in self.world.stream.open_shards())
            and all(
                not shards[lane.partition].records or lane.position == shards[lane.partition].records[-1].position
                for lane in lanes
            )
        )

    def _check_budget(self) -> None:
        """What a lane has just made of its batch comes on top; nothing more is read before that is durable."""
        for seat in self._seats:
            if seat.mirror is None:
                continue
            status = seat.mirror.status()
            allowed = self._scenario.memory + (GROWTH * len(status.lanes) if self._scenario.transforms else 0)
            if status.buffered_bytes > allowed:
                raise ViolationError(f"{status.buffered_bytes} bytes held, {allowed} allowed")


def simulate(seed: int) -> list[list[bytes | None]]:
    """Live the life of ``seed``; what the topic's partitions hold in the end.

    Raises ``ViolationError``, or whatever else went wrong, with a line to reproduce it.
    """

    async def live(clock: VirtualClock) -> list[list[bytes | None]]:
        life = Life(seed, clock)
        try:
            await life.run()
        except TimeoutError:
            life.world.check()
            raise
        return [[record.value for record in log] for log in life.world.topic.partitions]

    try:
        return run(live)
    except BaseException as error:
        error.add_note(f"reproduce: python -m tests.simulation {seed}")
        raise
