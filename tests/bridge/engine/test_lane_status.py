"""What is told of a lane that reads, and of one that stands still."""

from bridge.engine.status import HALTED
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
