"""A process that did not run for a while writes nothing before it knows who owns its lanes."""

import asyncio

import pytest

from connectors.base import ConnectorError
from connectors.kinesis.writing.vigil import Vigil
from tests.connectors.kinesis.fake_writes import WritableKinesis, lane_of, sink_into
from tests.connectors.kinesis.leaping_clock import LeapingClock
from tests.simulation.virtual_time import VirtualClock, VirtualLoop, run


def _leaping() -> LeapingClock:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return LeapingClock(loop)


def test_a_second_stop_while_confirming_is_noticed() -> None:
    """The answer may be older than it: ownership is confirmed once more, also for those who ask meanwhile."""

    async def main(_: VirtualClock) -> None:
        clock = _leaping()
        asked = 0

        async def confirm() -> None:
            nonlocal asked
            asked += 1
            await clock.sleep(0.01)
            if asked == 1:
                clock.leapt_s += 10

        vigil = Vigil(3.0, confirm, clock)
        clock.leapt_s += 10
        first = asyncio.create_task(vigil.assured(asyncio.Event()))
        await clock.sleep(0.015)
        assert not first.done()
        await vigil.assured(asyncio.Event())
        await first
        assert asked == 2

    run(main)


def test_a_confirmation_that_failed_is_asked_for_again() -> None:
    """What it raised is raised, and nothing is assured."""

    async def main(_: VirtualClock) -> None:
        clock = _leaping()
        errors = [ConnectorError("confirm", "as told")]

        async def confirm() -> None:
            if errors:
                raise errors.pop()

        vigil = Vigil(3.0, confirm, clock)
        clock.leapt_s += 10
        with pytest.raises(ConnectorError, match="as told"):
            await vigil.assured(asyncio.Event())
        await vigil.assured(asyncio.Event())
        assert vigil.gaps == 1

    run(main)


@pytest.mark.parametrize("breaks_after_s", [0.0, 1.0])
def test_a_broken_scope_does_not_wait_for_a_confirmation(breaks_after_s: float) -> None:
    """Who breaks it may be waited for by whoever confirms. The next scope waits, and writes nothing before."""

    async def main(_: VirtualClock) -> None:
        clock = _leaping()
        fake = WritableKinesis(clock)
        is_told = asyncio.Event()

        async def confirm() -> None:
            await is_told.wait()

        async with sink_into(fake, clock, confirm=confirm, endpoint_url="x", away_s=3.0) as sink:
            scope = await sink.begin()
            clock.leapt_s += 10
            answer = scope.submit("lane", lane_of(3))
            await clock.sleep(breaks_after_s)
            scope.abort()
            await asyncio.gather(answer, return_exceptions=True)
            async with asyncio.timeout(60):
                scope = await sink.begin()
            answer = scope.submit("lane", lane_of(3))
            await clock.sleep(10)
            assert fake.puts == []
            is_told.set()
            await answer
        assert len(fake.entries) == 3

    run(main)
