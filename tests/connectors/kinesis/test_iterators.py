"""Iterators that are lost cost nothing but a new one."""

import asyncio
from contextlib import aclosing

import pytest

from bridge.engine.budget import ByteBudget
from connectors.base import Partition, Place, TransientError
from tests.connectors.kinesis.fake import CountingObserver, FakeKinesis, opened
from tests.connectors.kinesis.reading import BUDGET, batches, records, values
from tests.simulation.virtual_time import VirtualClock, run

FIRST = "shardId-000000000000"


@pytest.mark.parametrize("code", ["ExpiredIteratorException", "InvalidArgumentException"])
def test_a_refused_iterator_is_replaced_by_one_after_the_last_record(code: str) -> None:
    """Reading goes on strictly after what was handed out, in mid-run and before the first record."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FakeKinesis(clock), CountingObserver()
        for number in range(3):
            fake.put(b"%d" % number)
        async with opened(fake, clock, observer) as source:
            fake.fail("GetRecords", code)
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 6))
            await clock.sleep(20)
            fake.fail("GetRecords", code, code)
            for number in range(3, 6):
                fake.put(b"%d" % number)
            assert await reading == [b"0", b"1", b"2", b"3", b"4", b"5"]
        assert observer.retries["GetRecords", "iterator"] == 3

    run(main)


def test_a_consumer_that_stalls_longer_than_an_iterator_lives_misses_nothing() -> None:
    """Iterators live one second, the consumer takes five for each batch: each record comes once, in order."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.iterator_life_s = 1
        expected = [fake.put(b"%d" % number).data for number in range(2_000)]
        found: list[bytes | None] = []
        async with (
            opened(fake, clock) as source,
            aclosing(source.read(Partition(FIRST), Place(), ByteBudget(BUDGET))) as reading,
        ):
            async for batch in reading:
                found += batch.values
                batch.release()
                if len(found) == len(expected):
                    break
                await clock.sleep(5)
        assert found == expected

    run(main)


def test_iterators_that_are_all_refused_end_in_an_error() -> None:
    """The lane shows what is wrong instead of trying in silence for ever."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        async with opened(fake, clock) as source:
            fake.fail("GetRecords", *["InvalidArgumentException"] * 10)
            with pytest.raises(TransientError, match="every iterator is refused"):
                await batches(source, FIRST, Place(), 1)

    run(main)


def test_reading_resumes_strictly_after_any_record() -> None:
    """Each position that a record came with leads to exactly the records behind it."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        expected = [fake.put(b"%d" % number).data for number in range(20)]
        async with opened(fake, clock) as source:
            for index, record in enumerate(await records(source, FIRST, Place(), 19)):
                after = Place(record.position, record.timestamp_ms)
                assert await values(source, FIRST, after, 19 - index) == expected[index + 1 :]

    run(main)


def test_records_before_the_start_time_are_left_out() -> None:
    """Servers that answer a future-most time with the whole shard do not bring old records back."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        for _ in range(5_000):
            fake.put(b"old", age_ms=10_000)
        new = fake.put(b"new")
        async with opened(fake, clock, start="latest") as source:
            start = (await source.start([Partition(FIRST)]))[FIRST]
            real = fake._GetShardIterator  # stands in for another server

            def beginning(given: dict[str, object]) -> dict[str, object]:
                return real({**given, "ShardIteratorType": "TRIM_HORIZON"})

            fake._GetShardIterator = beginning  # type: ignore[method-assign]  # another server's way
            [found] = await records(source, FIRST, start, 1)
        assert found.position == str(new.sequence)
        assert fake.count("GetRecords") < 10

    run(main)
