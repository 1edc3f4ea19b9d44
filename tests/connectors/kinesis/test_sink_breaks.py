"""What becomes of calls and lanes when a writer breaks, and how the next one begins."""

import asyncio

from tests.connectors.kinesis.fake_writes import Harm, WritableKinesis, lane_of, sink_into
from tests.simulation.virtual_time import VirtualClock, run


class Slow(Harm):
    """Each call takes as long as a test sets."""

    def __init__(self) -> None:
        self.takes_s = 0.01

    def latency_s(self) -> float:
        return self.takes_s


def test_what_landed_is_known_though_begin_was_cancelled() -> None:
    """Calls on the wire are waited for by the next begin as well, and nothing is written twice."""

    async def main(clock: VirtualClock) -> None:
        harm = Slow()
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            harm.takes_s = 5.0
            first = scope.submit("lane", lane_of(3))
            await clock.sleep(0.005)
            harm.takes_s = 0.01
            second = scope.submit("lane", lane_of(3_000, keys=3_000, first=3))
            await clock.sleep(1)
            scope.abort()
            await asyncio.gather(first, second, return_exceptions=True)
            beginning = asyncio.ensure_future(sink.begin())
            await clock.sleep(0.1)
            beginning.cancel()
            await asyncio.wait([beginning])
            scope = await sink.begin()
            assert not fake.out.total()
            await asyncio.gather(
                scope.submit("lane", lane_of(3)), scope.submit("lane", lane_of(3_000, keys=3_000, first=3))
            )
        assert len(fake.entries) == 3_003

    run(main)
