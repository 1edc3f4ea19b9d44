"""Reading back what had landed: it comes to an end, whoever else writes meanwhile."""

import asyncio

from connectors.provenance import stamp
from tests.connectors.kinesis.fake_writes import WritableKinesis, lane_of, sink_into
from tests.simulation.virtual_time import VirtualClock, run

SOURCE = "kafka:cluster:orders"


def test_producers_that_never_rest_do_not_hold_it_up() -> None:
    """No read is ever empty then: what arrived later than the look began is its end."""

    async def produce(fake: WritableKinesis, clock: VirtualClock) -> None:
        while True:
            fake.put(b"native")
            await clock.sleep(0.05)

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        async with sink_into(fake, clock, "kpl") as sink:
            sent = stamp(lane_of(5, lane="0"), SOURCE, sink.address)
            await (await sink.begin()).submit("0", sent)
            producing = asyncio.create_task(produce(fake, clock))
            async with asyncio.timeout(60):
                found = await sink.landed(SOURCE, {"0": 0})
            producing.cancel()
        assert set(found["0"]) == {"0", "1", "2", "3", "4"}

    run(main)
