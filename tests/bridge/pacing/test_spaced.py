"""Records come with the spacing that their own times had."""

import asyncio
from itertools import chain
from random import Random

import pytest

from bridge.engine.budget import ByteBudget
from bridge.pacing.spaced import SpacedSource
from connectors.base import Batch, Partition
from tests.bridge.pacing.script import BUDGET, Read, ScriptedSource, batch, read
from tests.simulation.virtual_time import VirtualClock, run

EARLIEST_MS = 1_000_000


async def replayed(script: dict[str, list[Batch]], speed: float, clock: VirtualClock) -> Read:
    """What came of all partitions."""
    source, came, budget = SpacedSource(ScriptedSource(script, clock), speed, clock), Read(), ByteBudget(BUDGET)
    await source.find_earliest([Partition(name) for name in script])
    await asyncio.gather(*(read(source, name, clock, came, budget) for name in script))
    assert budget.used == 0
    return came


def offsets(came: Read) -> list[tuple[int, float]]:
    """Each record's time, and when it came, both since the first one of all; in seconds the latter."""
    found = [(time_ms, at_s) for at_s, each in came.batches for time_ms in each.timestamps_ms]
    first_ms, first_s = min(found)
    return [(time_ms - first_ms, at_s - first_s) for time_ms, at_s in found]


@pytest.mark.parametrize("speed", [1.0, 2.0, 0.5, 100.0])
def test_the_spacing_is_kept_across_partitions(speed: float) -> None:
    """Bursts and pauses, within 20 ms, whatever the batches they are read in."""

    async def main(clock: VirtualClock) -> None:
        draw = Random(1)
        times = [*sorted(EARLIEST_MS + draw.randrange(60_000) for _ in range(2_000)), EARLIEST_MS + 600_000]
        lanes = {name: times[number::3] for number, name in enumerate(("a", "b", "c"))}
        script = {
            name: [batch(name, part[at : at + 100], first=at) for at in range(0, len(part), 100)]
            for name, part in lanes.items()
        }
        came = await replayed(script, speed, clock)
        assert sorted(chain.from_iterable(each.timestamps_ms for _, each in came.batches)) == times
        for since_ms, since_s in offsets(came):
            assert since_s == pytest.approx(since_ms / 1000 / speed, abs=0.02)

    run(main)


def test_order_goes_before_time() -> None:
    """A record that is older than the one before it comes right behind that."""

    async def main(clock: VirtualClock) -> None:
        times = [EARLIEST_MS, EARLIEST_MS + 2_000, EARLIEST_MS + 500, EARLIEST_MS + 3_000]
        came = await replayed({"p": [batch("p", times)]}, 1.0, clock)
        assert came.positions == ["0", "1", "2", "3"]
        assert [round(at_s, 2) for _, at_s in offsets(came)] == [0, 2, 2, 3]

    run(main)


def test_partitions_without_records_hold_nobody_up() -> None:
    """Nor does one whose records come late."""

    async def main(clock: VirtualClock) -> None:
        script = {
            "empty": [batch("empty", [])],
            "late": [batch("late", [EARLIEST_MS + 90_000])],
            "p": [batch("p", [EARLIEST_MS, EARLIEST_MS + 1_000])],
        }
        came = await replayed(script, 1.0, clock)
        assert [round(at_s, 2) for _, at_s in sorted(offsets(came))] == [0, 1, 90]

    run(main)
