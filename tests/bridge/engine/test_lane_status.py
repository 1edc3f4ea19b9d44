"""What is told of a lane that reads, and of one that stands still."""

import asyncio

from bridge.engine.status import HALTED, LaneState, MirrorState
from checkpoints.base import CheckpointError
from connectors.base import TransientError
from tests.bridge.engine.small_mirror import RETENTION_MS, SmallMirror
from tests.simulation.virtual_time import VirtualClock, run


def test_a_lane_that_stands_still_falls_behind_as_time_passes() -> None:
    """Where the sink is away nobody reads: the lag is not what it was when somebody did."""

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock)
        async with small.running():
            await small.when(lambda: small.written == 10)
            small.writing.error = TransientError("write", "no leader")
            small.stream.put(b"key", b"late")
            await clock.sleep(600)
            await small.when(lambda: small.lane().state in HALTED)
            assert small.lane().lag_ms >= 595_000

    run(main)


def test_a_lane_whose_source_is_away_does_not_run_while_it_is_asked_again() -> None:
    """It retries, falls behind and says why, until the source hands something out."""

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock)
        async with small.running():
            await small.when(lambda: small.written == 10)
            small.reading.error = TransientError("read", "connection refused")
            await small.when(lambda: small.lane().state is LaneState.RETRYING)
            seen = set()
            for _ in range(1_000):
                await clock.sleep(0.6)
                lane = small.lane()
                seen.add((lane.state, lane.error))
            assert seen == {(LaneState.RETRYING, "read: connection refused")}
            assert small.lane().lag_ms >= 600_000
            small.reading.error = None
            small.stream.put(b"key", b"late")
            await small.when(lambda: small.written == 11)
            assert (small.lane().state, small.lane().error) == (LaneState.RUNNING, None)

    run(main)


def test_a_lane_that_never_got_anywhere_falls_behind_too() -> None:
    """Where nothing is known of the tip yet, the lag is at least as old as the lane, or as its pause."""

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock)
        small.writing.error = TransientError("write", "no leader")
        async with small.running():
            await clock.sleep(600)
            await small.when(lambda: small.lane().state in HALTED)
            assert small.lane().lag_ms >= 595_000

    run(main)


def test_a_lane_s_rate_counts_from_its_first_record() -> None:
    """Also where it has written all that it had between two looks at it."""

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock)
        async with small.running():
            await small.when(lambda: small.written == 10)
            await clock.sleep(0.5)
            small.stream.split(small.stream.open_shards()[0])
            for number in range(10):
                small.stream.put(b"%d" % number, b"")
            await small.when(lambda: small.written == 20)
            await clock.sleep(4)
            children = [lane for lane in small.mirror.status().lanes if lane.partition != "shard-0000"]
            assert sum(lane.records_per_second for lane in children) >= 10 / 6

    run(main)


def test_a_mirror_that_its_group_has_lost_does_not_run() -> None:
    """It owns nothing and waits for nothing: it is not ready, and says why, until it is a member again."""

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock)
        async with small.running():
            await small.when(lambda: small.mirror.status().state is MirrorState.RUNNING)
            small.group.knows_us = False
            told = small.mirror.status()
            assert told.state is MirrorState.STARTING
            assert told.error is not None
            assert "joins again" in told.error
            small.group.knows_us = True
            assert (small.mirror.status().state, small.mirror.status().error) == (MirrorState.RUNNING, None)

    run(main)


def test_lanes_that_are_lost_fall_behind_until_it_is_known_who_has_them() -> None:
    """Nobody may be at work on them: they do not vanish with their lag, and show that they are not owned here."""

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock)
        async with small.running():
            await small.when(lambda: small.written == 10)
            lanes = small.mirror._lanes
            await small.when(lambda: small.lane().checkpoint_age_ms == 0)
            await lanes.lose([0])
            for _ in range(2):
                await clock.sleep(300)
                told = small.lane()
                assert told.lag_ms >= 300_000
                assert (told.state, told.position) == (LaneState.RETRYING, "9")
                assert "lost by this worker" in (told.error or "")
                assert small.mirror.status().state is MirrorState.STARTING
                await lanes.lose([])
            await lanes.take([])
            assert (small.mirror.status().lanes, small.mirror.status().state) == ((), MirrorState.RUNNING)
            await lanes.take([0])
            small.stream.put(b"key", b"later")
            await small.when(lambda: small.written == 11)
            assert small.lane().error is None

    run(main)


def test_lanes_that_are_read_anew_are_shown_meanwhile() -> None:
    """However long the store does not answer after a commit of which nothing was heard."""

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock)
        async with small.running():
            await small.when(lambda: small.written == 10)
            small.store.refusal = CheckpointError("read the checkpoints", "no answer")
            retaking = asyncio.create_task(small.mirror._lanes.retake())
            await clock.sleep(300)
            told = small.lane()
            assert (told.state, told.lag_ms >= 300_000) == (LaneState.RETRYING, True)
            assert "whether the last commit took effect" in (told.error or "")
            small.store.refusal = None
            await retaking
            await small.when(lambda: small.lane().state is LaneState.RUNNING)

    run(main)


def test_what_is_not_durable_expires_by_the_source_s_retention() -> None:
    """The time moves on while records become durable, and stays while they do not."""

    async def main(clock: VirtualClock) -> None:
        small = SmallMirror(clock)
        async with small.running():
            await small.when(lambda: small.written == 10)
            await clock.sleep(60)
            small.stream.put(b"key", b"a minute later")
            await small.when(lambda: small.written == 11)
            well = small.lane().expires_ms
            assert well is not None
            assert 0 <= clock.now_ms() + RETENTION_MS - well < 5_000
            small.writing.error = TransientError("write", "no leader")
            small.stream.put(b"key", b"late")
            await clock.sleep(600)
            late = small.lane().expires_ms
            assert late is not None
            assert late - well < 5_000

    run(main)
