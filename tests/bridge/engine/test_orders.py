"""What an operator tells single lanes, and that it costs no other record than those that are named."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ClassVar

import pytest

from bridge.engine.mirror import MirrorFailedError
from bridge.engine.orders import Orders
from bridge.engine.passing import OrderError
from bridge.engine.status import LaneState
from checkpoints.base import Checkpoint, Gap
from checkpoints.memory import MemoryCheckpoints
from connectors.base import ConnectorError, End, GapError, Place, RefusedError, UnreachableError
from connectors.memory.sink import MemorySink
from tests.bridge.engine.setting import POISON, Setting, play
from tests.bridge.engine.small_mirror import SmallMirror
from tests.simulation.virtual_time import VirtualClock, run

WHO = "ops@desk"
FIRST, SECOND = "shard-0000", "shard-0001"

Story = Callable[[Setting, Orders], Awaitable[None]]


async def _told(world: Setting, story: Story) -> None:
    """Run a mirror, and the story beside it."""
    done = asyncio.Event()

    async def tell() -> None:
        try:
            while world.mirror is None or not world.mirror.status().lanes:
                await world.clock.sleep(0.1)
            await story(world, world.mirror.orders)
        finally:
            done.set()

    telling = asyncio.create_task(tell())
    await world.run(done.is_set)
    await telling


def _during(story: Story) -> Callable[[Setting], Awaitable[None]]:
    async def whole(world: Setting) -> None:
        await _told(world, story)

    return whole


async def _until(world: Setting, condition: Callable[[], bool]) -> None:
    while not condition():
        await world.clock.sleep(0.1)


def _key_of(world: Setting, partition: str) -> bytes:
    return world.stream.shards[partition].records[0].key or b""


def _gap() -> GapError:
    return GapError("read", "trimmed", lost_from="3", lost_to="5", resume=Place("5"))


def test_a_paused_lane_reads_nothing_and_resumes_strictly_behind_its_position() -> None:
    """What comes meanwhile is neither lost nor doubled; the others go on."""

    async def story(world: Setting, orders: Orders) -> None:
        await _until(world, world.all_there)
        paused = await orders.pause(FIRST, WHO)
        assert (paused.state, paused.is_kept) == (LaneState.PAUSED, True)
        late = world.stream.put(_key_of(world, FIRST), b"late")
        other = world.stream.put(_key_of(world, SECOND), b"other")
        await _until(world, lambda: other.value in world.mirrored())
        await world.clock.sleep(60)
        assert late.value not in world.mirrored()
        assert world.lane(FIRST).position == paused.after
        resumed = await orders.resume(FIRST, WHO)
        assert resumed.before == paused.after
        await _until(world, world.all_there)
        assert len(world.mirrored()) == len(set(world.mirrored()))

    play(_during(story))


def test_a_pause_outlasts_the_process() -> None:
    """The checkpoint carries it: the next worker keeps the lane paused, and can resume it."""

    async def whole(world: Setting) -> None:
        async def before(world: Setting, orders: Orders) -> None:
            await _until(world, world.all_there)
            await orders.pause(FIRST, WHO)

        async def after(world: Setting, orders: Orders) -> None:
            late = world.stream.put(_key_of(world, FIRST), b"late")
            await world.clock.sleep(30)
            assert world.lane(FIRST).state is LaneState.PAUSED
            assert late.value not in world.mirrored()
            await orders.resume(FIRST, WHO)
            await _until(world, world.all_there)

        await _told(world, before)
        assert (await world.store.load())[FIRST].paused_ms is not None
        await _told(world, after)
        assert (await world.store.load())[FIRST].paused_ms is None

    play(whole)


def test_a_paused_lane_does_not_hold_up_a_drain() -> None:
    """The mirror ends at once, though nobody resumes the lane."""

    async def whole(world: Setting) -> None:
        async def story(world: Setting, orders: Orders) -> None:
            await orders.pause(FIRST, WHO)

        await _told(world, story)
        assert world.clock.monotonic() < 10

    play(whole)


def test_a_held_lane_tries_again_at_once_when_told_to() -> None:
    """Who has mended the cause need not wait for the next look."""

    async def story(world: Setting, orders: Orders) -> None:
        await _until(world, lambda: world.lane(FIRST).state is LaneState.HELD)
        began_s = world.clock.monotonic()
        await orders.retry(FIRST, WHO)
        await _until(world, world.all_there)
        assert world.clock.monotonic() - began_s < 5

    async def whole(world: Setting) -> None:
        world.plan.errors[("read", FIRST)] = [RefusedError("read", "AccessDenied", "kms:Decrypt")]
        await _told(world, story)

    play(whole)


def test_a_failed_lane_tries_again_from_its_position() -> None:
    """Nothing is passed: at the same record it stops again."""

    async def story(world: Setting, orders: Orders) -> None:
        bad = world.stream.put(_key_of(world, FIRST), POISON)
        await _until(world, lambda: world.lane(FIRST).state is LaneState.FAILED)
        tried = await orders.retry(FIRST, WHO)
        await _until(world, lambda: world.lane(FIRST).state is LaneState.FAILED)
        assert world.lane(FIRST).position == tried.before == str(int(bad.position) - 1)

    play(_during(story))


class Mended(MemorySink):
    """Takes what it refused once it has looked again; ``lookups`` are the lanes for which it did."""

    lookups: ClassVar[list[str]] = []

    async def look_again(self, lane: str) -> None:
        self.lookups.append(lane)
        self._refuses = None


def test_a_failed_lane_that_tries_again_knows_what_the_sink_takes_by_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that was raised is looked up: the record goes, and nothing behind it is lost or doubled."""
    monkeypatch.setattr(Mended, "lookups", [])

    async def story(world: Setting, orders: Orders) -> None:
        world.stream.put(_key_of(world, FIRST), POISON)
        await _until(world, lambda: world.lane(FIRST).state is LaneState.FAILED)
        await orders.retry(FIRST, WHO)
        await _until(world, world.all_there)
        assert POISON in world.mirrored()
        assert Mended.lookups == [FIRST]

    async def whole(world: Setting) -> None:
        world.sink = Mended
        await _told(world, story)

    play(whole)


class Away(MemorySink):
    async def look_again(self, lane: str) -> None:
        raise UnreachableError("look up topic orders", "no answer")


def test_a_failed_lane_is_not_started_again_by_what_may_be_untrue() -> None:
    """Where the sink does not tell what it takes, the order is refused with the reason, and the lane stays stopped."""

    async def story(world: Setting, orders: Orders) -> None:
        world.stream.put(_key_of(world, FIRST), POISON)
        await _until(world, lambda: world.lane(FIRST).state is LaneState.FAILED)
        with pytest.raises(OrderError, match="what the sink takes is not known: look up topic orders: no answer"):
            await orders.retry(FIRST, WHO)
        assert world.lane(FIRST).state is LaneState.FAILED

    async def whole(world: Setting) -> None:
        world.sink = Away
        await _told(world, story)

    play(whole)


def test_a_mirror_that_ends_because_nothing_can_go_on_takes_no_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    """An order could only hide by what it has failed: it would end as one that was told to."""
    refused: list[str] = []

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock)
        drain = small.mirror._lanes.drain

        async def ordered() -> None:
            assert small.lane().state is LaneState.FAILED
            for order in (small.mirror.orders.retry, small.mirror.orders.pause):
                with pytest.raises(OrderError, match="the mirror is ending"):
                    await order(FIRST, WHO)
                refused.append(order.__name__)
            await drain()

        monkeypatch.setattr(small.mirror._lanes, "drain", ordered)
        small.reading.error = ConnectorError("read", "no such thing")
        async with small.running():
            await clock.sleep(600)

    with pytest.raises(MirrorFailedError, match="no such thing"):
        run(main)
    assert refused == ["retry", "pause"]


def test_a_skipped_record_is_exactly_the_one_that_stopped_the_lane() -> None:
    """It is named, counted and kept in the checkpoint; all others come, in their order."""

    async def story(world: Setting, orders: Orders) -> None:
        key = _key_of(world, FIRST)
        bad = world.stream.put(key, POISON)
        world.stream.put(key, b"behind")
        await _until(world, lambda: world.lane(FIRST).state is LaneState.FAILED)
        skipped = await orders.skip(FIRST, WHO, None)
        assert skipped.passed is not None
        assert (skipped.passed.lost_from, skipped.passed.lost_to, skipped.passed.records) == (
            bad.position,
            bad.position,
            1,
        )
        await _until(world, lambda: world.all_there(but=1))
        assert POISON not in world.mirrored()
        assert world.mirror is not None
        status = world.mirror.status()
        assert (status.skipped, status.gaps) == ({"operator": 1}, 1)
        (gap,) = (await world.store.load())[FIRST].gaps
        assert (gap.lost_from, gap.lost_to) == (bad.position, bad.position)
        assert WHO in gap.cause

    play(_during(story))


def test_a_skipped_gap_is_the_one_that_was_named() -> None:
    """The lane goes on where the gap says, and the checkpoint keeps it; it is counted once."""

    async def story(world: Setting, orders: Orders) -> None:
        await _until(world, lambda: world.lane(FIRST).state is LaneState.FAILED)
        skipped = await orders.skip(FIRST, WHO, None)
        assert skipped.passed is not None
        assert (skipped.passed.lost_from, skipped.passed.lost_to, skipped.passed.records) == ("3", "5", None)
        assert skipped.after == "5"
        last = world.stream.shards[FIRST].records[-1].position
        await _until(world, lambda: world.lane(FIRST).position == last)
        assert world.mirror is not None
        assert world.mirror.status().gaps == 1
        (gap,) = (await world.store.load())[FIRST].gaps
        assert "trimmed" in gap.cause

    async def whole(world: Setting) -> None:
        world.plan.errors[("read", FIRST)] = [_gap()]
        await _told(world, story)

    play(whole)


def test_a_checkpoint_of_other_ends_is_accepted_by_a_skip_and_not_by_a_retry() -> None:
    """What would be accepted in silence by trying again asks for the word that says so. What was skipped at the former
    ends is no skip of these, whose records may stand at the same positions.
    """

    async def story(world: Setting, orders: Orders) -> None:
        await _until(world, lambda: world.lane(FIRST).state is LaneState.FAILED)
        with pytest.raises(OrderError, match="skip accepts it"):
            await orders.retry(FIRST, WHO)
        await orders.skip(FIRST, WHO, None)
        await _until(world, world.all_there)
        kept = (await world.store.load())[FIRST]
        assert (kept.source, [gap.records for gap in kept.gaps]) == ("orders@1", [None, None])

    async def whole(world: Setting) -> None:
        skip = Gap("1", "2", "skipped by a person", 1, records=2)
        old = Checkpoint("3", None, finished=False, saved_ms=1, source="orders@0", sink="", gaps=(skip,))
        new = Checkpoint(None, None, finished=False, saved_ms=1, source="orders@1", sink="")
        world.store = MemoryCheckpoints({FIRST: old, SECOND: new})
        await _told(world, story)

    play(whole)


def test_a_skip_up_to_a_position_tells_how_much_was_passed() -> None:
    """On a paused lane, as an operator would: from where it stands to there, counted, and nothing else."""

    async def story(world: Setting, orders: Orders) -> None:
        await _until(world, world.all_there)
        await orders.pause(FIRST, WHO)
        key = _key_of(world, FIRST)
        left_out = [world.stream.put(key, b"left-%d" % number) for number in range(9)]
        kept = world.stream.put(key, b"kept")
        skipped = await orders.skip(FIRST, WHO, End(left_out[-1].position))
        assert skipped.passed is not None
        assert (skipped.passed.lost_from, skipped.passed.lost_to) == (left_out[0].position, left_out[-1].position)
        assert (skipped.passed.records, skipped.state) == (9, LaneState.PAUSED)
        await orders.resume(FIRST, WHO)
        await _until(world, lambda: kept.value in world.mirrored())
        assert not {record.value for record in left_out} & set(world.mirrored())

    play(_during(story))


def test_a_lane_that_was_paused_before_the_start_is_skipped_as_any_other() -> None:
    """The pause outlasts the process, and what an operator wants to pass is passed all the same."""

    async def before(world: Setting, orders: Orders) -> None:
        await _until(world, world.all_there)
        await orders.pause(FIRST, WHO)

    async def after(world: Setting, orders: Orders) -> None:
        key = _key_of(world, FIRST)
        left_out, kept = world.stream.put(key, b"left out"), world.stream.put(key, b"kept")
        await _until(world, lambda: world.lane(FIRST).state is LaneState.PAUSED)
        skipped = await orders.skip(FIRST, WHO, End(left_out.position))
        assert skipped.passed is not None
        assert skipped.passed.records == 1
        await orders.resume(FIRST, WHO)
        await _until(world, lambda: kept.value in world.mirrored())
        assert left_out.value not in world.mirrored()

    async def whole(world: Setting) -> None:
        await _told(world, before)
        await _told(world, after)

    play(whole)


def test_a_lane_that_runs_well_is_not_skipped_and_none_moves_backward() -> None:
    """Refused, with what would have to be said, and nothing is changed."""

    async def story(world: Setting, orders: Orders) -> None:
        await _until(world, world.all_there)
        stands = world.lane(FIRST).position
        with pytest.raises(OrderError, match="--until says how far"):
            await orders.skip(FIRST, WHO, None)
        with pytest.raises(OrderError, match="never moves backward"):
            await orders.skip(FIRST, WHO, End("1"))
        with pytest.raises(OrderError, match="no fault"):
            await orders.retry(FIRST, WHO)
        with pytest.raises(OrderError, match="not paused"):
            await orders.resume(FIRST, WHO)
        with pytest.raises(OrderError, match="no lane of that partition is at work here"):
            await orders.pause("shard-9", WHO)
        assert world.lane(FIRST).position == stands
        late = world.stream.put(_key_of(world, FIRST), b"late")
        await _until(world, lambda: late.value in world.mirrored())

    play(_during(story))


def test_a_skip_beyond_what_is_there_is_refused_and_the_lane_goes_on() -> None:
    """An end that may never come would pass what nobody has seen."""

    async def story(world: Setting, orders: Orders) -> None:
        await _until(world, world.all_there)
        await orders.pause(FIRST, WHO)
        late = world.stream.put(_key_of(world, FIRST), b"late")
        with pytest.raises(OrderError, match="still to come"):
            await orders.skip(FIRST, WHO, End("4711"))
        await orders.resume(FIRST, WHO)
        await _until(world, lambda: late.value in world.mirrored())

    play(_during(story))
