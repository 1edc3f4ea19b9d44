"""A record that neither the sink nor the dead letter takes stops its lane as one does without a dead letter."""

import asyncio
from collections.abc import Callable

import pytest

from bridge.engine.policy import OnError, Policy
from bridge.engine.status import LaneState
from connectors.base import Batch, Outcome, Record, Rejected, Scope
from connectors.memory.scope import MemoryScope
from connectors.memory.sink import MemorySink
from tests.bridge.engine.setting import POISON, Setting, play

LANE = "shard-0000"
SMALL, LARGE = POISON + b" small", POISON + b" large"
BURYING = Policy(on_error=OnError.DEAD_LETTER)


class LateSink(MemorySink):
    """Knows what it refuses only when it has written the others."""

    def inspect(self, batch: Batch) -> tuple[Rejected, ...]:
        return ()

    def submit(self, lane: str, batch: Batch) -> asyncio.Future[Outcome]:
        rejected = super().inspect(batch)
        return asyncio.ensure_future(_without(super().submit(lane, batch.without(rejected)), rejected))


async def _without(answer: asyncio.Future[Outcome], rejected: tuple[Rejected, ...]) -> Outcome:
    await answer
    return Outcome(rejected)


class _OwnScope(MemoryScope[MemorySink]):
    def __init__(self, sink: MemorySink, dead: MemorySink) -> None:
        super().__init__(sink)
        self._dead = dead

    def bury(self, lane: str, letter: Batch) -> asyncio.Future[Outcome]:
        return self._dead.submit(lane, letter)

    def inspect_letter(self, letter: Batch) -> tuple[Rejected, ...]:
        return self._dead.inspect(letter)


def _burying_itself(world: Setting) -> type[MemorySink]:
    """A sink with a dead letter of its own."""

    class OwnDeadLetter(MemorySink):
        async def begin(self) -> Scope:
            await super().begin()
            assert world.dead_sink is not None
            return _OwnScope(self, world.dead_sink)

    return OwnDeadLetter


def _of(kind: type[MemorySink]) -> Callable[[Setting], type[MemorySink]]:
    return lambda _: kind


def _too_large(record: Record) -> str | None:
    return "too_large" if record.value == LARGE else None


@pytest.mark.parametrize(
    ("sink", "dead"),
    [
        pytest.param(_of(MemorySink), MemorySink, id="both-foreseen"),
        pytest.param(_of(LateSink), MemorySink, id="sink-late"),
        pytest.param(_of(MemorySink), LateSink, id="dead-letter-late"),
        pytest.param(_of(LateSink), LateSink, id="both-late"),
        pytest.param(_burying_itself, MemorySink, id="one-for-both"),
    ],
)
def test_a_record_that_no_dead_letter_takes_is_passed_alone(
    sink: Callable[[Setting], type[MemorySink]], dead: type[MemorySink]
) -> None:
    """All before it arrives or is buried, the error names it, and a skip passes it and nothing else."""

    async def story(world: Setting) -> None:
        world.sink, world.dead_kind, world.dead_refuses = sink(world), dead, _too_large
        key = world.stream.shards[LANE].records[0].key or b""
        world.stream.put(key, SMALL)
        world.stream.put(key, b"between")
        bad = world.stream.put(key, LARGE)
        world.stream.put(key, SMALL)
        world.stream.put(key, b"behind")
        skipped = asyncio.create_task(_skipped(world, bad))
        await world.run(lambda: skipped.done() and b"behind" in world.mirrored(), BURYING)
        await skipped
        assert {letter.value for letter in world.dead.partitions[0]} == {SMALL}
        assert world.mirror is not None
        assert world.mirror.status().dead_letters == {"too_large": 2}
        assert LARGE not in world.mirrored()
        assert set(world.mirrored()) == {
            record.value for shard in world.stream.shards.values() for record in shard.records
        } - {SMALL, LARGE}

    play(story)


async def _skipped(world: Setting, bad: Record) -> None:
    """Pass ``bad``, once the lane has stopped right before it."""
    while world.mirror is None or world.lane(LANE).state is not LaneState.FAILED:
        await world.clock.sleep(0.1)
    lane = world.lane(LANE)
    assert lane.position == str(int(bad.position) - 1)
    assert f"write record {bad.position} of {LANE}: refused: too_large; nor can the dead letter" in (lane.error or "")
    assert b"between" in world.mirrored()
    # Who refuses late has written what was submitted together.
    assert world.sink is LateSink or b"behind" not in world.mirrored()
    answer = await world.mirror.orders.skip(LANE, "ops@desk", None)
    assert answer.passed is not None
    assert (answer.passed.lost_from, answer.passed.lost_to, answer.passed.records) == (bad.position, bad.position, 1)
