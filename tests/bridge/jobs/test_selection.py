"""A source that holds a range and nothing else."""

import asyncio
from contextlib import aclosing

import pytest

from bridge.engine.budget import ByteBudget
from bridge.errors import UsageError
from bridge.jobs.selection import Selection
from bridge.jobs.span import point
from connectors.memory.faults import Faults
from connectors.memory.source import MemorySource, MemoryStream
from tests.simulation.virtual_time import VirtualClock, run

KEYS = 20


def filled(clock: VirtualClock, shards: int) -> MemoryStream:
    """200 records, of which every shard has some."""
    stream = MemoryStream("s", shards, clock)
    for number in range(200):
        stream.put(b"%d" % (number % KEYS), b"%d" % number)
    return stream


def selected(stream: MemoryStream, clock: VirtualClock, since: list[str], until: list[str]) -> Selection:
    return Selection(MemorySource(stream, clock, Faults()), point("--from", since), point("--until", until))


async def values(selection: Selection) -> dict[str, list[bytes | None]]:
    """All of the range, by partition; each read has to end."""
    found: dict[str, list[bytes | None]] = {}
    for partition, place in selection.starts.items():
        async with asyncio.timeout(60), aclosing(selection.read(partition, place, ByteBudget(2**30))) as batches:
            async for batch in batches:
                found.setdefault(partition.id, []).extend(batch.values)
                batch.release()
    return found


def test_it_ends_where_the_source_ended_when_it_was_fixed() -> None:
    """Neither records nor partitions that come later are of it; of a split one the children are, too."""

    async def main(clock: VirtualClock) -> None:
        stream = filled(clock, 2)
        stream.split(stream.open_shards()[0])
        stream.put(b"1", b"in a child or not")
        held = {name: [record.value for record in shard.records] for name, shard in stream.shards.items()}
        selection = selected(stream, clock, ["trim_horizon"], ["now"])
        await selection.fix()
        await clock.sleep(1)
        for number in range(KEYS):
            stream.put(b"%d" % number, b"late")
        stream.split(stream.open_shards()[-1])
        assert await values(selection) == held
        async with aclosing(selection.partitions()) as listings:
            assert [each async for each in listings] == [selection.partitions_in_range]

    run(main)


def test_positions_restrict_it_to_their_partitions() -> None:
    """Both are part of it; the others' records are not."""

    async def main(clock: VirtualClock) -> None:
        stream = filled(clock, 2)
        name, shard = next(iter(stream.shards.items()))
        digits = point("--from", [f"{name}/3"]).positions
        assert digits == {name: "3"}
        selection = selected(stream, clock, [f"{name}/3"], [f"{name}/7"])
        await selection.fix()
        assert await values(selection) == {name: [record.value for record in shard.records[3:8]]}

    run(main)


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        (["shard-0000/7"], ["shard-0000/3"], "ends before --from shard-0000/7 begins"),
        (["shard-0009/7"], ["now"], "the source has no partition shard-0009"),
        (["7"], ["now"], "which of 2 partitions"),
        (["shard-0000/1"], ["shard-0001/3"], "names no partition that --from names"),
    ],
)
def test_what_is_no_range_is_refused(since: list[str], until: list[str], message: str) -> None:
    """With the option at fault."""

    async def main(clock: VirtualClock) -> None:
        selection = selected(filled(clock, 2), clock, since, until)
        with pytest.raises(UsageError, match=message):
            await selection.fix()

    run(main)
