"""A source that is read at a rate keeps it, whatever its batches are."""

import asyncio
from contextlib import aclosing
from itertools import chain

import pytest

from bridge.engine.budget import ByteBudget
from bridge.pacing.paced import PacedSource
from bridge.pacing.quota import Quota, Rates
from connectors.base import Batch, Partition, Place
from tests.bridge.pacing.script import BUDGET, Read, ScriptedSource, batch, read
from tests.simulation.virtual_time import VirtualClock, run

WINDOW_S = 10


def paced(script: dict[str, list[Batch]], rates: Rates, clock: VirtualClock) -> PacedSource:
    return PacedSource(ScriptedSource(script, clock), Quota(rates, clock), clock)


def backlog(partition: str, batches: int, records: int, size: int = 10) -> list[Batch]:
    """Batches without a pause between them."""
    return [batch(partition, [0] * records, first=number * records, size=size) for number in range(batches)]


def windows(seconds: int) -> list[float]:
    """The beginnings of all windows in so many seconds, in steps of 100 ms, but for the first second."""
    return [step / 10 for step in range(10, (seconds - WINDOW_S) * 10)]


@pytest.mark.parametrize(("records", "per_s"), [(1, 500), (7, 500), (10_000, 500), (5_000, 20_000), (1, 3.5)])
def test_records_a_second_are_kept(records: int, per_s: float) -> None:
    """Within 5 % over any ten seconds, with batches of any size, and of many partitions."""

    async def main(clock: VirtualClock) -> None:
        lanes = {f"p{number}": backlog(f"p{number}", int(per_s * 12 / records) + 1, records) for number in range(3)}
        source, came = paced(lanes, Rates(records_per_s=per_s), clock), Read()
        budget = ByteBudget(BUDGET)
        async with asyncio.timeout(30):
            readers = [asyncio.create_task(read(source, name, clock, came, budget)) for name in lanes]
            await clock.sleep(29)
        for reader in readers:
            reader.cancel()
        for begin in windows(29):
            assert came.count(begin, begin + WINDOW_S) == pytest.approx(per_s * WINDOW_S, rel=0.05)

    run(main)


@pytest.mark.parametrize("size", [10, 1_000, 60_000])
def test_bytes_a_second_are_kept(size: int) -> None:
    """Within 5 % over any ten seconds, of records of any size."""

    async def main(clock: VirtualClock) -> None:
        source = paced({"p": backlog("p", 60, 1_000_000 // size, size)}, Rates(bytes_per_s=2_000_000), clock)
        came = Read()
        await read(source, "p", clock, came, ByteBudget(BUDGET))
        for begin in windows(29):
            assert came.bytes(begin, begin + WINDOW_S) == pytest.approx(2_000_000 * WINDOW_S, rel=0.05)

    run(main)


def test_of_two_rates_the_lower_one_holds_at_each_time() -> None:
    """Small records are held back by their number, large ones by their bytes."""

    async def main(clock: VirtualClock) -> None:
        small, large = backlog("p", 15, 1_000, 10), backlog("p", 15, 100, 10_000)
        source, came = paced({"p": [*small, *large]}, Rates(1_000, 1_000_000), clock), Read()
        await read(source, "p", clock, came, ByteBudget(BUDGET))
        assert came.count(2, 12) == pytest.approx(10_000, rel=0.05)
        assert came.bytes(17, 27) == pytest.approx(10_000_000, rel=0.05)

    run(main)


def test_time_without_records_is_not_made_up_for_by_a_burst() -> None:
    """What comes after a pause comes at the rate."""

    async def main(clock: VirtualClock) -> None:
        source, came = paced({"p": backlog("p", 1, 5_000)}, Rates(records_per_s=100), clock), Read()
        await clock.sleep(60)
        await read(source, "p", clock, came, ByteBudget(BUDGET))
        assert came.count(60, 70) <= 1_050

    run(main)


def test_every_partition_has_its_turn() -> None:
    """One with large batches does not keep one with small ones waiting."""

    async def main(clock: VirtualClock) -> None:
        lanes = {"large": backlog("large", 1, 100_000), "small": backlog("small", 20, 10)}
        source, budget = paced(lanes, Rates(records_per_s=1_000), clock), ByteBudget(BUDGET)
        other, came = Read(), Read()
        reader = asyncio.create_task(read(source, "large", clock, other, budget))
        await read(source, "small", clock, came, budget)
        reader.cancel()
        assert came.batches[-1][0] < 3

    run(main)


def test_a_share_of_the_rate_is_kept_as_it_changes() -> None:
    """A worker that owns a quarter of the partitions reads at a quarter of the rate; and more when others leave."""

    async def main(clock: VirtualClock) -> None:
        quota = Quota(Rates(records_per_s=1_000), clock, lambda: 0.25 if clock.monotonic() < 20 else 1.0)
        source, came = PacedSource(ScriptedSource({"p": backlog("p", 5, 5_000)}, clock), quota, clock), Read()
        await read(source, "p", clock, came, ByteBudget(BUDGET))
        assert came.count(5, 15) == pytest.approx(2_500, rel=0.05)
        assert came.count(25, 35) == pytest.approx(10_000, rel=0.05)

    run(main)


def test_pieces_hold_together_what_the_batch_held() -> None:
    """Columns, order and counts; each piece's place is its last record, and lag falls towards the end."""

    async def main(clock: VirtualClock) -> None:
        times = list(range(1_000, 2_000))
        whole = Batch(
            "p",
            Place("999", 5_000),
            [str(number) for number in range(1_000)],
            [b"%d" % number for number in range(1_000)],
            [None] * 1_000,
            times,
            headers=[(("n", b"%d" % number),) for number in range(1_000)],
            origins=[b"o%d" % number for number in range(1_000)],
            size=2_890,
            lag_records=7,
            skipped={"loop": 3},
            is_last=True,
        )
        source, came = paced({"p": [whole]}, Rates(records_per_s=1_000), clock), Read()
        await read(source, "p", clock, came, ByteBudget(BUDGET))
        pieces = [piece for _, piece in came.batches]
        assert len(pieces) == 10
        assert list(chain.from_iterable(piece.records() for piece in pieces)) == list(whole.records())
        assert [piece.place for piece in pieces] == [Place(str(end), None) for end in range(99, 999, 100)] + [
            whole.place
        ]
        assert [piece.is_last for piece in pieces] == [False] * 9 + [True]
        assert [dict(piece.skipped) for piece in pieces] == [{}] * 9 + [{"loop": 3}]
        assert [piece.lag_records for piece in pieces] == [7 + left for left in range(900, -1, -100)]
        assert all(piece.lag_ms > 0 for piece in pieces[:-1])
        assert pieces[-1].lag_ms == 0
        assert sum(piece.size for piece in pieces) == whole.size

    run(main)


def test_a_batch_leaves_the_budget_with_its_last_piece() -> None:
    """Not before, and only once; a reader that stops in its midst gives back what it was not handed."""

    async def main(clock: VirtualClock) -> None:
        budget = ByteBudget(BUDGET)
        source = paced({"p": backlog("p", 1, 300, 10)}, Rates(records_per_s=1_000), clock)
        async with aclosing(source.read(Partition("p"), Place(), budget)) as batches:
            pieces = [await anext(batches) for _ in range(3)]
            for piece in pieces:
                assert budget.used == 3_000
                piece.release()
                piece.release()
            assert await anext(batches, None) is None
        assert budget.used == 0
        async with aclosing(source.read(Partition("p"), Place(), budget)) as batches:
            first = await anext(batches)
        assert budget.used == 3_000
        first.release()
        assert budget.used == 0

    run(main)


def test_a_reader_that_is_cancelled_in_its_turn_lets_others_pass() -> None:
    """It gives back what it holds, and costs the others nothing."""

    async def main(clock: VirtualClock) -> None:
        budget = ByteBudget(BUDGET)
        lanes = {"a": backlog("a", 1, 1_000), "b": backlog("b", 1, 100)}
        source, came = paced(lanes, Rates(records_per_s=10), clock), Read()
        readers = [asyncio.create_task(read(source, name, clock, came, budget)) for name in lanes]
        await clock.sleep(5.05)
        readers[0].cancel()
        await readers[1]
        assert budget.used == 0
        assert 10 < clock.monotonic() < 13

    run(main)


def test_a_batch_without_records_does_not_wait() -> None:
    """News of an idle partition costs nothing of the rate."""

    async def main(clock: VirtualClock) -> None:
        source, came = paced({"p": [batch("p", [])] * 50}, Rates(records_per_s=1), clock), Read()
        await read(source, "p", clock, came, ByteBudget(BUDGET))
        assert len(came.batches) == 50
        assert clock.monotonic() == 0

    run(main)
