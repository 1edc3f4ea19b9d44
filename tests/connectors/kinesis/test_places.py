"""Where the sink says that each record is, for those who ask."""

import asyncio
from random import Random

import pytest

from connectors.base import Outcome
from connectors.codecs import kpl
from connectors.codecs.catalogue import CodecName
from tests.connectors.kinesis.fake_writes import RandomHarm, Scripted, WritableKinesis, lane_of, sink_into
from tests.simulation.virtual_time import VirtualClock, run


@pytest.mark.parametrize("codec", ["raw", "kpl", "envelope"])
def test_each_record_is_where_the_outcome_says(codec: CodecName) -> None:
    """Also where entries fail and are written by a later call, and inside of aggregates."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        harm.on_entry = RandomHarm(Random(5)).entry
        fake = WritableKinesis(clock, shards=3, harm=harm)
        batches = [lane_of(40, keys=7, first=40 * number) for number in range(3)]
        async with sink_into(fake, clock, codec, endpoint_url="x", tells_places=True) as sink:
            scope = await sink.begin()
            outcomes = await asyncio.gather(*(scope.submit("lane", batch) for batch in batches))
        there = _values_by_place(fake, codec)
        for batch, outcome in zip(batches, outcomes, strict=True):
            assert outcome.places is not None
            for value, place in zip(batch.values, outcome.places, strict=True):
                assert value is not None
                assert value in there[place]

    run(main)


def test_nobody_pays_for_places_that_are_not_asked_for() -> None:
    """Without the setting the outcome has none."""

    async def main(clock: VirtualClock) -> None:
        async with sink_into(WritableKinesis(clock), clock, endpoint_url="x") as sink:
            outcome = await (await sink.begin()).submit("lane", lane_of(3))
        assert outcome == Outcome()

    run(main)


def _values_by_place(fake: WritableKinesis, codec: CodecName) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for shard in fake.shards.values():
        for record in shard.records:
            place = f"{shard.id}/{record.sequence}"
            if codec != "kpl":
                found[place] = record.data
                continue
            aggregate = kpl.decode(record.data)
            assert aggregate is not None
            found |= {f"{place}#{sub}": value for sub, value in enumerate(aggregate.values)}
    return found
