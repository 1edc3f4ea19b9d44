"""Aggregated records in a shard: each user record is a record of its own."""

import pytest

from connectors.base import Place
from connectors.codecs.kpl import hash_of
from tests.connectors.codecs.aggregates import aggregate, sealed
from tests.connectors.kinesis.fake import FakeKinesis, opened
from tests.connectors.kinesis.reading import batches, records, values
from tests.simulation.virtual_time import VirtualClock, run

FIRST = "shardId-000000000000"
USERS = [(b"u%d" % number, b"value-%d" % number) for number in range(5)]


def _filled(clock: VirtualClock) -> FakeKinesis:
    fake = FakeKinesis(clock)
    fake.put(b"before")
    fake.put(aggregate(USERS), key="a")
    fake.put(b"after")
    return fake


ALL = [b"before", *(value for _, value in USERS), b"after"]


def test_user_records_have_their_own_keys_and_positions() -> None:
    """They stand in order between the records around them, at the arrival time of the record that held them."""

    async def main(clock: VirtualClock) -> None:
        fake = _filled(clock)
        packed = fake.shards[FIRST].records[1]
        async with opened(fake, clock) as source:
            found = await records(source, FIRST, Place(), 7)
        assert [record.value for record in found] == ALL
        assert [record.key for record in found] == [b"k", *(key for key, _ in USERS), b"k"]
        assert [record.position for record in found[1:6]] == [f"{packed.sequence}#{sub}" for sub in range(5)]
        assert {record.timestamp_ms for record in found[1:6]} == {packed.arrival_ms}

    run(main)


def test_reading_resumes_inside_an_aggregate() -> None:
    """Behind each user record follow exactly the ones after it, and behind the last one the next record."""

    async def main(clock: VirtualClock) -> None:
        async with opened(_filled(clock), clock) as source:
            for index, record in enumerate((await records(source, FIRST, Place(), 7))[:-1]):
                after = Place(record.position, record.timestamp_ms)
                assert await values(source, FIRST, after, 6 - index) == ALL[index + 1 :]

    run(main)


def test_the_place_behind_a_batch_is_behind_its_last_user_record() -> None:
    """A checkpoint at the end of an aggregate repeats nothing of it."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        fake.put(aggregate(USERS))
        async with opened(fake, clock) as source:
            [batch] = await batches(source, FIRST, Place(), 5)
            assert batch.place.position == batch.positions[-1]
            fake.put(b"next")
            assert await values(source, FIRST, batch.place, 1) == [b"next"]

    run(main)


def test_never_leaves_aggregates_packed() -> None:
    """The stream's records come as they are."""

    async def main(clock: VirtualClock) -> None:
        fake = _filled(clock)
        async with opened(fake, clock, deaggregate="never") as source:
            assert await values(source, FIRST, Place(), 3) == [b"before", aggregate(USERS), b"after"]

    run(main)


@pytest.mark.parametrize(("mode", "kept"), [("kcl", [b"inside"]), ("keep_all", [b"stranger", b"u", b"inside"])])
def test_kcl_leaves_out_aggregates_that_reach_beyond_their_shard(mode: str, kept: list[bytes]) -> None:
    """One record outside of the shard's range takes its whole aggregate along, which is counted; else all stay."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        shard = fake.shards[FIRST]
        shard.first = shard.last = hash_of(b"here")
        fake.put(aggregate([(b"here", b"stranger"), (b"away", b"u")]))
        fake.put(aggregate([(b"here", b"inside")]))
        async with opened(fake, clock, deaggregate=mode) as source:
            found = await batches(source, FIRST, Place(), len(kept))
        assert [value for batch in found for value in batch.values] == kept
        assert sum(batch.skipped.get("kcl_range", 0) for batch in found) == 3 - len(kept)

    run(main)


def test_an_aggregate_of_nothing_moves_the_place() -> None:
    """Records that hold no user record are passed for good."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        empty = fake.put(sealed(b"\x0a\x01a"))
        async with opened(fake, clock) as source:
            [batch] = await batches(source, FIRST, Place(), 0)
        assert len(batch) == 0
        assert batch.place.position == str(empty.sequence)

    run(main)


def test_what_only_looks_like_an_aggregate_passes_unchanged() -> None:
    """Data with the magic bytes and a wrong digest is a record like any other."""

    async def main(clock: VirtualClock) -> None:
        fake = FakeKinesis(clock)
        damaged = aggregate(USERS)[:-1] + b"\x00\x00"
        fake.put(damaged)
        async with opened(fake, clock) as source:
            [record] = await records(source, FIRST, Place(), 1)
        assert record.value == damaged
        assert "#" not in record.position

    run(main)
