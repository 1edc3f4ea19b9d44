"""Records that expire before a subscription brings them are told, never passed in silence."""

import asyncio
from contextlib import aclosing
from itertools import pairwise

import pytest

from bridge.engine.budget import ByteBudget
from connectors.base import GapError, Partition, Place
from connectors.times import iso
from tests.connectors.kinesis.fake_fan_out import FanOutKinesis, opened
from tests.connectors.kinesis.reading import BUDGET, values
from tests.simulation.virtual_time import VirtualClock, run

FIRST = "shardId-000000000000"
HOUR_S = 3_600
HOUR_MS = HOUR_S * 1_000


def test_a_trimmed_checkpoint_is_a_gap_with_both_ends() -> None:
    """The records behind it have expired: the gap names the time it covers, and reading can go on at the oldest."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        read = fake.put(b"read", age_ms=30 * HOUR_MS)
        fake.put(b"lost", age_ms=29 * HOUR_MS)
        fake.put(b"there", age_ms=HOUR_MS)
        async with opened(fake, clock) as source:
            with pytest.raises(GapError) as gap:
                await values(source, FIRST, Place(str(read.sequence), read.arrival_ms), 1)
            assert gap.value.lost_from == iso(read.arrival_ms)
            assert gap.value.resume is not None
            assert await values(source, FIRST, gap.value.resume, 1) == [b"there"]

    run(main)


def test_a_place_near_expiry_is_proven_by_a_poll_before_anything_behind_it_is_read() -> None:
    """While its record is there nothing is lost; once reading is away from the edge, records are sent again."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.retention_hours = 48
        read = fake.put(b"read", age_ms=30 * HOUR_MS)
        put = [fake.put(b"%d" % number, age_ms=(29 - number) * HOUR_MS).data for number in range(29)]
        fake.extra_summary["RetentionPeriodHours"] = 24
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(str(read.sequence), read.arrival_ms), 30))
            await clock.sleep(30)
            later = fake.put(b"later").data
            assert await reading == [*put, later]
        polls = fake.times("GetRecords")
        assert len(polls) > 1
        assert all(later - sooner >= 0.2 for sooner, later in pairwise(polls))
        assert fake.count("SubscribeToShard") == 1

    run(main)


@pytest.mark.parametrize("kept_h", [24, 48], ids=["expired", "there"])
def test_records_that_may_expire_before_a_subscription_is_there_are_looked_for(kept_h: int) -> None:
    """The consumer is long in the making: the first event may begin behind some, as if they had never been."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.retention_hours, fake.extra_summary["RetentionPeriodHours"] = kept_h, 24
        read = fake.put(b"read", age_ms=24 * HOUR_MS - 110_000)
        old = fake.put(b"old", age_ms=24 * HOUR_MS - 100_000)
        fake.put(b"new")
        fake.creating_s = 200
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(str(read.sequence), read.arrival_ms), 2))
            if kept_h == 24:
                with pytest.raises(GapError):
                    await reading
            else:
                assert await reading == [old.data, b"new"]
        assert fake.count("SubscribeToShard") == 1

    run(main)


def test_records_that_expire_while_an_event_waits_are_a_gap() -> None:
    """What it brings then begins behind them, as if they had never been."""

    async def main(clock: VirtualClock) -> None:
        fake, budget = FanOutKinesis(clock), ByteBudget(BUDGET)
        fake.put(b"first")
        async with (
            opened(fake, clock) as source,
            aclosing(source.read(Partition(FIRST), Place(), budget)) as reading,
        ):
            batch = await anext(reading)
            assert batch.values == [b"first"]
            batch.release()
            following = asyncio.ensure_future(anext(reading))
            taken = await budget.reserve(BUDGET)
            # No clock says it to a reader that waits: it is found out when it goes on.
            await clock.sleep(HOUR_S)
            fake.put(b"lost")
            await clock.sleep(25 * HOUR_S)
            fake.put(b"there")
            taken.release()
            with pytest.raises(GapError):
                await following

    run(main)
