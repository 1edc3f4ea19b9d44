"""What is remembered of lanes that go back."""

import asyncio

from connectors.base import Outcome
from connectors.kinesis.writing.submission import Landings, Lane, Submission
from tests.connectors.kinesis.fake_writes import lane_of
from tests.simulation.virtual_time import VirtualClock, run

_MANY = 120_000


def _ended(name: str) -> Lane:
    """A lane of which all but the first record landed."""
    lane, batch = Lane(name), lane_of(_MANY, lane=name)
    answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
    submission = Submission(lane, batch, lambda _: b"", answer)
    lane.submissions.append(submission)
    for index in range(1, _MANY):
        submission.land(index)
    return lane


def test_lanes_that_others_took_over_are_forgotten() -> None:
    """Long after, and only once much is remembered: those of one break are all remembered."""

    async def main(clock: VirtualClock) -> None:
        landings = Landings(clock)
        for name in ("a", "b"):
            landings.remember(_ended(name))
        assert len(landings) == 2 * (_MANY - 1)
        await clock.sleep(3_600)
        landings.remember(_ended("c"))
        assert len(landings) == _MANY - 1
        assert len(landings.among("c", lane_of(_MANY, lane="c"))) == _MANY - 1
        assert len(landings) == 0

    run(main)
