"""Shards: all of them are found, and none is taken for finished before it is."""

import asyncio

import pytest

from connectors.base import GapError, Partition, Place, RefusedError
from tests.connectors.kinesis.fake import CountingObserver, FakeKinesis, opened
from tests.connectors.kinesis.reading import batches, cancelled, values
from tests.simulation.virtual_time import VirtualClock, run

FIRST = "shardId-000000000000"


def test_more_shards_than_fit_a_page_are_all_listed() -> None:
    """2,345 shards come in three pages; the token is sent without the stream's name, which servers refuse."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock, shards=2_345)
        async with opened(fake, clock) as source:
            listed = await anext(aiter(source.partitions()))
        assert [each.id for each in listed] == list(fake.shards)

    run(main)


def test_both_parents_of_a_merged_shard_are_named() -> None:
    """A shard that came from a merge waits for two shards, one from a split for one."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.split(FIRST)
        left, right = list(fake.shards)[1:]
        fake.shards["shardId-000000000003"] = type(fake.shards[left])("shardId-000000000003", (left, right))
        async with opened(fake, clock) as source:
            listed = await anext(aiter(source.partitions()))
        assert listed[1] == Partition(left, (FIRST,))
        assert listed[3] == Partition("shardId-000000000003", (left, right))

    run(main)


def test_a_reshard_is_reported_within_ten_seconds() -> None:
    """New shards are listed although nobody reads."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        async with opened(fake, clock) as source:
            listings = aiter(source.partitions())
            await anext(listings)
            fake.split(FIRST)
            before = clock.monotonic()
            assert len(await anext(listings)) == 3
            assert clock.monotonic() - before < 10

    run(main)


def test_the_end_of_a_shard_is_reported_at_once() -> None:
    """A reader that comes to a shard's end has the listing looked at again without waiting for its turn."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.put(b"last")
        async with opened(fake, clock) as source:
            listings = aiter(source.partitions())
            await anext(listings)
            news = asyncio.ensure_future(anext(listings))
            fake.split(FIRST)
            assert await values(source, FIRST, Place(), 2) == [b"last"]
            ended = clock.monotonic()
            assert len(await news) == 3
            assert clock.monotonic() - ended < 0.5

    run(main)


@pytest.mark.parametrize("names_children", [True, False])
def test_a_closed_shard_ends_after_its_last_record(names_children: bool) -> None:  # noqa: FBT001  # a parameter
    """The end is believed when the answer names children, or else when a listing shows them."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.names_children = names_children
        for number in range(5):
            fake.put(b"%d" % number)
        fake.split(FIRST)
        async with opened(fake, clock) as source:
            assert await values(source, FIRST, Place(), 99) == [b"0", b"1", b"2", b"3", b"4"]

    run(main)


def test_an_end_that_nothing_confirms_is_not_believed() -> None:
    """A null iterator of a shard that is listed open loses nothing: reading goes on after the last record."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.put(b"one")
        fake.unconfirmed_ends = 3
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 2))
            await clock.sleep(30)
            fake.put(b"two")
            assert await reading == [b"one", b"two"]

    run(main)


def test_an_expired_shard_is_a_gap_and_no_end() -> None:
    """A shard that is listed no more may have lost records: that has a name, and nothing to resume at."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock, shards=2)
        async with opened(fake, clock) as source:
            del fake.shards[FIRST]
            with pytest.raises(GapError, match="expired") as gap:
                await batches(source, FIRST, Place("5", clock.now_ms()), 1)
        assert gap.value.resume is None

    run(main)


def test_a_deleted_stream_is_refused_and_no_end() -> None:
    """When the stream is gone its lanes say so instead of finishing."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        async with opened(fake, clock) as source:
            fake.fail("GetShardIterator", "ResourceNotFoundException")
            fake.fail("ListShards", "ResourceNotFoundException")
            with pytest.raises(RefusedError, match="ResourceNotFoundException"):
                await batches(source, FIRST, Place(), 1)

    run(main)


def test_a_shard_missing_for_a_moment_is_asked_for_again() -> None:
    """ResourceNotFound for a shard that is listed is a passing fault."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.put(b"one")
        async with opened(fake, clock) as source:
            fake.fail("GetShardIterator", "ResourceNotFoundException", "ResourceNotFoundException")
            assert await values(source, FIRST, Place(), 1) == [b"one"]

    run(main)


def test_listing_goes_on_through_faults() -> None:
    """Throttling, a fault of the server and, in mid-run, a refusal do not end the listing."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FakeKinesis(clock), CountingObserver()
        async with opened(fake, clock, observer) as source:
            listings = aiter(source.partitions())
            await anext(listings)
            fake.split(FIRST)
            fake.fail("ListShards", "LimitExceededException", "InternalFailureException", "AccessDeniedException")
            assert len(await anext(listings)) == 3
        assert observer.throttles["ListShards"] == 1
        assert observer.retries["ListShards", "RefusedError"] == 1

    run(main)


def test_readers_that_end_together_share_a_listing() -> None:
    """A thousand shards that close at once do not list the stream a thousand times."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock, shards=100)
        fake.names_children = False
        for shard in list(fake.shards):
            fake.split(shard)
        parents = list(fake.shards)[:100]
        async with opened(fake, clock) as source:
            await asyncio.gather(*(batches(source, shard, Place(), 1) for shard in parents))
        assert fake.count("ListShards") < 10

    run(main)


def test_a_stream_made_anew_stops_the_lanes() -> None:
    """Another stream of the same name is noticed within a minute or so, and not read as if it were the old one."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(batches(source, FIRST, Place(), 1))
            await clock.sleep(1)
            fake.created_s += 5_000
            with pytest.raises(RefusedError, match="another stream of this name"):
                await reading
            await cancelled(reading)

    run(main)
