"""Since when something behind a lane's position may be in the sink: how far a successor has to read back."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from bridge.engine.progress import Progress
from checkpoints.base import Checkpoint
from checkpoints.memory import MemoryCheckpoints
from connectors.base import Batch, Place, TransientError
from connectors.memory.sink import MemorySink
from tests.bridge.engine.setting import Setting, play

NOW_MS = 9000
CHILD = "shard-0002"


def batch(number: int) -> Batch:
    return Batch("0", Place(str(number)), [str(number)], [b"k"], [b"v"], [1])


def left_behind(unsettled_ms: int) -> Checkpoint:
    """Of a lane whose owner had written since ``unsettled_ms``, and did not leave cleanly."""
    return Checkpoint(None, None, finished=False, saved_ms=1, source="", sink="", unsettled_ms=unsettled_ms)


def test_a_running_lane_may_write_from_now_on() -> None:
    """Nothing is on its way, but the next record may be at any moment."""
    assert Progress(Place()).unsettled_ms(NOW_MS) == NOW_MS


def test_what_is_on_its_way_counts_from_the_oldest_submission() -> None:
    """Other keys may have overtaken it, and be in the sink behind the position."""
    progress = Progress(Place())
    progress.read(batch(0), 1000)
    progress.read(batch(1), 2000)
    assert progress.unsettled_ms(NOW_MS) == 1000
    progress.settle(batch(0), 1)
    assert progress.unsettled_ms(NOW_MS) == 2000
    progress.settle(batch(1), 1)
    assert progress.unsettled_ms(NOW_MS) == NOW_MS


def test_a_lane_that_ended_with_all_settled_left_cleanly() -> None:
    """Its successor has nothing to read back."""
    progress = Progress(Place())
    progress.read(batch(0), 1000)
    progress.settle(batch(0), 1)
    progress.is_ended = True
    assert progress.unsettled_ms(NOW_MS) is None


def test_what_was_given_up_counts_until_it_is_settled_again() -> None:
    """After a fault some of it may be in the sink, until the lane has passed it once more."""
    progress = Progress(Place())
    for number in range(3):
        progress.read(batch(number), 1000 + number)
    progress.settle(batch(0), 1)
    progress.rewind()
    progress.is_ended = True
    assert progress.unsettled_ms(NOW_MS) == 1001
    progress.read(batch(1), 5000)
    progress.settle(batch(1), 1)
    assert progress.unsettled_ms(NOW_MS) == 1001
    progress.read(batch(2), 6000)
    progress.settle(batch(2), 1)
    assert progress.unsettled_ms(NOW_MS) is None


def test_a_sink_without_a_clock_has_nothing_to_read_back() -> None:
    """Transactions leave nothing behind."""
    progress = Progress(Place())
    progress.read(batch(0), None)
    assert progress.unsettled_ms(None) is None


def test_a_lane_that_has_not_looked_yet_keeps_the_time_of_its_former_owner() -> None:
    """It may be stored again while it waits for its turn, and even end there: what had landed is still unknown."""
    progress = Progress(Place(), left_behind(1000))
    assert progress.unsettled_ms(NOW_MS) == 1000
    progress.is_ended = True
    assert progress.unsettled_ms(NOW_MS) == 1000


def test_a_child_that_waits_for_its_parents_looks_as_far_back_as_its_former_owner_wrote() -> None:
    """However often its checkpoint is stored meanwhile: nothing that had landed comes twice."""
    looked: list[int] = []

    class Searchable(MemorySink):
        """Holds all records of the child."""

        def now_ms(self) -> int:
            return NOW_MS

        async def landed(self, source: str, since_ms: Mapping[str, int]) -> Mapping[str, Collection[str]]:
            looked.append(since_ms[CHILD])
            return {CHILD: {"0", "1"}}

    async def story(world: Setting) -> None:
        world.stream.merge(*world.stream.open_shards())
        landed = [world.stream.put(b"key", value) for value in (b"landed", b"landed too")]
        assert {record.partition for record in landed} == {CHILD}
        world.sink = Searchable
        begun = dict.fromkeys(world.stream.shards, replace(left_behind(1000), unsettled_ms=None))
        world.store = MemoryCheckpoints(begun | {CHILD: left_behind(1000)})
        world.plan.errors["read", "shard-0000"] = [TransientError("read", "not yet")] * 8
        await world.run(lambda: world.lane(CHILD).position == "1")
        assert looked == [1000]
        assert len(world.mirrored()) == len(set(world.mirrored()) - {b"landed", b"landed too"})

    play(story)
