"""A lane whose records are transformed: what it does with those of which nothing can be made, and while it waits."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from bridge.engine.budget import ByteBudget
from bridge.engine.making import SLOW_S, Making
from bridge.engine.policy import OnError, OnLoop, Policy
from bridge.engine.sieve import Landed, Sieve
from bridge.engine.status import LaneState
from bridge.transforms.columns import rebuilt, records_of, with_values
from connectors import provenance
from connectors.base import (
    ORIGIN_HEADER,
    Batch,
    Clock,
    ConnectorError,
    Outcome,
    Place,
    Record,
    RefusedError,
    Rejected,
    Save,
    Scope,
    TransientError,
)
from connectors.memory.sink import MemorySink
from connectors.transform import Transform, Transformed
from tests.bridge.engine.setting import Setting, play

SHARD = "shard-0000"


class Steps(Transform):
    """Drops some, splits others, refuses one; by number. ``troubles`` come first, ``gate`` is waited for."""

    def __init__(self, unfit: int = -1) -> None:
        self.unfit = unfit
        self.troubles: list[ConnectorError] = []
        self.gate: asyncio.Event | None = None

    @property
    def name(self) -> str:
        return "steps"

    async def apply(self, batch: Batch) -> Transformed:
        if self.gate is not None:
            await self.gate.wait()
        if self.troubles:
            raise self.troubles.pop()
        answers = [made(record) for record in records_of(batch)]
        rejected = tuple(
            Rejected(index, "unfit", "nothing can be made of it")
            for index, record in enumerate(records_of(batch))
            if record.value == b"%d" % self.unfit
        )
        left_out = {each.index for each in rejected}
        parts = [(at, part) for at, answer in enumerate(answers) if at not in left_out for part in answer]
        following = rebuilt(batch, parts)
        # As the chain does.
        numbers = [following.positions[:at].count(each) for at, each in enumerate(following.positions)]
        return Transformed(replace(following, parts=numbers), {"dull": answers.count(())}, rejected)


class Blown(Transform):
    """Makes values of ``size`` bytes."""

    def __init__(self, size: int) -> None:
        self.size = size

    @property
    def name(self) -> str:
        return "blown"

    async def apply(self, batch: Batch) -> Transformed:
        return Transformed(with_values(batch, [bytes(self.size)] * len(batch)))


def made(record: Record) -> tuple[Record, ...]:
    number = int(record.value or b"0")
    if number % 4 == 3:
        return ()
    return tuple(replace(record, value=b"%d.%d" % (number, part)) for part in range(1 + number % 3))


def source_values(world: Setting, name: str | None = None) -> list[Record]:
    return [
        record
        for shard in world.stream.shards.values()
        for record in shard.records
        if name in (None, shard.partition.id)
    ]


def expected(records: list[Record]) -> list[bytes]:
    return sorted(part.value or b"" for record in records for part in made(record))


def is_there(world: Setting, but: tuple[Record, ...] = ()) -> Callable[[], bool]:
    wanted = [record for record in source_values(world) if record not in but]
    return lambda: sorted(each or b"" for each in world.mirrored()) == expected(wanted)


def chosen(world: Setting) -> Record:
    """One in the middle of the first shard that is split."""
    records = source_values(world, SHARD)[3:]
    return next(record for record in records if len(made(record)) == 3)


def test_dropped_and_split_records_are_counted_and_told_apart() -> None:
    """What was read is the source's, what was written is the sink's; positions pass over what is dropped."""

    async def story(world: Setting) -> None:
        world.transform = Steps()
        await world.run(is_there(world))
        assert world.mirror is not None
        status, read = world.mirror.status(), source_values(world)
        assert status.records_read == len(read)
        assert status.records_written == len(world.mirrored())
        assert status.skipped == {"dull": sum(not made(record) for record in read)}
        checkpoints = await world.store.load()
        assert {name: each.position for name, each in checkpoints.items()} == {
            name: shard.records[-1].position for name, shard in world.stream.shards.items()
        }
        origins = [dict(record.headers)[ORIGIN_HEADER] for log in world.topic.partitions for record in log]
        wanted = [
            f"memory:orders/{record.partition}/{record.position}{f'~{part}' if part else ''}>memory:orders".encode()
            for record in read
            for part in range(len(made(record)))
        ]
        assert sorted(origins, key=str) == sorted(wanted, key=str)

    play(story)


def test_a_lane_stops_before_a_record_of_which_nothing_can_be_made() -> None:
    """Nothing behind it passes, what stands before is whole; mended, it goes on from there and doubles nothing."""

    async def story(world: Setting) -> None:
        unfit = chosen(world)
        world.transform = steps = Steps(int(unfit.value or b""))
        await world.run(lambda: world.lane(SHARD).state is LaneState.FAILED)
        assert f"record {unfit.position} of {SHARD}: nothing can be made of it" in (world.lane(SHARD).error or "")
        before = source_values(world, SHARD)[: int(unfit.position)]
        there = {record.value for log in world.topic.partitions for record in log if record.partition == SHARD}
        assert there == set(expected(before))
        assert world.lane(SHARD).position == str(int(unfit.position) - 1)
        steps.unfit = -1
        await world.run(is_there(world))

    play(story)


def test_a_dead_letter_holds_the_record_as_it_was_read() -> None:
    """With the origin that it would have had, so that it can be sent through the transforms again."""

    async def story(world: Setting) -> None:
        unfit = chosen(world)
        world.transform = Steps(int(unfit.value or b""))
        await world.run(is_there(world, (unfit,)), Policy(on_error=OnError.DEAD_LETTER))
        (letter,) = world.dead.partitions[0]
        assert (letter.value, letter.key, letter.position) == (unfit.value, unfit.key, unfit.position)
        headers = dict(letter.headers)
        assert headers[ORIGIN_HEADER] == f"memory:orders/{SHARD}/{unfit.position}>memory:orders".encode()
        assert headers["kmbridge-reason"] == b"unfit"
        assert world.mirror is not None
        assert world.mirror.status().dead_letters == {"unfit": 1}

    play(story)


class LateScope(Scope):
    """Refuses the last two parts of one record only once all is sent."""

    def __init__(self, scope: Scope, refused: bytes) -> None:
        self._scope = scope
        self._refused = refused

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        late = [
            at
            for at, value in enumerate(batch.values)
            if (value or b"") in (self._refused + b".1", self._refused + b".2")
        ]
        taken = batch.pick([at for at in range(len(batch)) if at not in late])
        answer = self._scope.submit(lane, taken)
        told: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def answered(done: asyncio.Future[Outcome]) -> None:
            if (error := done.exception()) is not None:
                told.set_exception(error)
            else:
                told.set_result(Outcome(tuple(Rejected(at, "late", "refused late") for at in late)))

        answer.add_done_callback(answered)
        return told

    async def commit(self, save: Save) -> None:
        await self._scope.commit(save)


def test_what_the_sink_refuses_of_a_record_later_is_one_letter() -> None:
    """However many of its parts that concerns; the part that was taken stays."""

    async def story(world: Setting) -> None:
        late = chosen(world)

        class LateSink(MemorySink):
            async def begin(self) -> Scope:
                return LateScope(await super().begin(), late.value or b"")

        world.sink, world.transform = LateSink, Steps()
        await world.run(
            lambda: len(world.mirrored()) == len(expected(source_values(world))) - 2,
            Policy(on_error=OnError.DEAD_LETTER),
        )
        assert [(letter.value, letter.position) for letter in world.dead.partitions[0]] == [(late.value, late.position)]

    play(story)


TROUBLES: Mapping[str, tuple[ConnectorError, LaneState]] = {
    "a fault of the moment": (TransientError("transform by steps", "not now"), LaneState.RETRYING),
    "one that a person has to mend": (RefusedError("transform by steps", "not without a key"), LaneState.HELD),
}


@pytest.mark.parametrize(("trouble", "state"), TROUBLES.values(), ids=TROUBLES.keys())
def test_a_transform_in_trouble_is_asked_again_and_nothing_passes_it(trouble: ConnectorError, state: LaneState) -> None:
    """The lane shows why it waits, and loses and doubles nothing."""

    async def story(world: Setting) -> None:
        world.transform = steps = Steps()
        steps.troubles = [trouble, trouble]
        seen: list[tuple[LaneState, str | None]] = []

        def watched() -> bool:
            lanes = [] if world.mirror is None else world.mirror.status().lanes
            seen.extend((lane.state, lane.error) for lane in lanes)
            return is_there(world)()

        await world.run(watched)
        assert (state, str(trouble)) in seen

    play(story)


def test_a_transform_that_takes_long_is_shown() -> None:
    """With its name, as long as it takes; then the lane runs without an error."""

    async def story(world: Setting) -> None:
        world.transform = steps = Steps()
        steps.gate = asyncio.Event()
        seen: list[tuple[LaneState, str | None]] = []

        def watched() -> bool:
            lane = world.lane(SHARD)
            if seen[-1:] != [(lane.state, lane.error)]:
                seen.append((lane.state, lane.error))
            if lane.error is not None and steps.gate is not None:
                steps.gate.set()
            return is_there(world)()

        await world.run(watched)
        ((state, error),) = [each for each in seen if each[1] is not None]
        assert state is LaneState.RETRYING
        assert error == f"transform by steps: at one batch for more than {SLOW_S:.0f} s"
        assert seen[-1] == (LaneState.RUNNING, None)

    play(story)


@pytest.mark.parametrize("size", [1, 1_000])
async def test_what_is_made_of_a_batch_counts_in_its_share_of_memory(size: int) -> None:
    """A step that makes more of its records is within the budget; one that does not takes nothing more."""
    budget = ByteBudget(10_000)
    await budget.reserve(100)
    share = await budget.reserve(400)
    batch = Batch("shard", Place("1"), ["1"], [None], [b"a"], [0], size=1, reservation=share)
    source: Any = SimpleNamespace(address="memory:a", repeats=False)
    policy = Policy(provenance=False)
    around: Any = SimpleNamespace(
        transform=Blown(size), clock=Clock(), policy=policy, source=source, destination=source
    )
    making = Making(Sieve(source, source, OnLoop.PASS), around)
    await making.made_of(batch)
    assert budget.used == 500 + size - 1
    batch.release()
    assert budget.used == 100


async def test_parts_that_had_landed_leave_the_number_of_all_to_the_others() -> None:
    """The first part says how many were made of its record, also where a former owner has written some of them."""
    source: Any = SimpleNamespace(address="memory:a", repeats=False)
    policy = Policy(provenance=True)
    around: Any = SimpleNamespace(transform=Steps(), clock=Clock(), policy=policy, source=source, destination=source)
    sieve = Sieve(source, source, OnLoop.PASS)
    sieve.landed = Landed(0, {"7~1"})
    batch = Batch("shard", Place("7"), ["7"], [b"k"], [b"2"], [0], size=1)
    made = (await Making(sieve, around).made_of(batch)).made
    assert [provenance.parts(each.headers) for each in made.records()] == [3, 1]
