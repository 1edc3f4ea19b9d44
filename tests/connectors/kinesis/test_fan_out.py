"""Subscriptions end, are cut, refused and taken over: the records come all the same, once and in order."""

import asyncio
from contextlib import aclosing
from itertools import pairwise

import pytest

from bridge.engine.budget import ByteBudget
from connectors.base import Partition, Place, RefusedError, TransientError
from connectors.kinesis.reading import columns
from connectors.kinesis.subscribing.frames import LARGEST_FRAME
from connectors.times import iso
from tests.connectors.codecs.aggregates import aggregate
from tests.connectors.kinesis.fake import CountingObserver
from tests.connectors.kinesis.fake_fan_out import AGAIN_S, CALLS_S, LIFE_S, FanOutKinesis, opened
from tests.connectors.kinesis.reading import BUDGET, batches, cancelled, records, until_idle, values
from tests.simulation.virtual_time import VirtualClock, run
from tests.support.event_frames import event_frame, exception_frame, prelude

FIRST = "shardId-000000000000"
IDLE = event_frame(b'{"Records": [], "ContinuationSequenceNumber": "1", "MillisBehindLatest": 0}')
EVENT = event_frame(b'{"Records": [], "ContinuationSequenceNumber": "1", "MillisBehindLatest": 5}')


async def trickled(fake: FanOutKinesis, clock: VirtualClock, count: int, pause_s: float) -> list[bytes]:
    """Records put one by one; what they hold."""
    put: list[bytes] = []
    for number in range(count):
        put.append(fake.put(b"%d" % number).data)
        await clock.sleep(pause_s)
    return put


@pytest.mark.parametrize("at_next", [False, True], ids=["number of the last record", "number of the next record"])
def test_a_subscription_is_renewed_before_it_ends(*, at_next: bool) -> None:
    """For a quarter of an hour: nothing lost or doubled, no call refused, and none that comes early."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FanOutKinesis(clock), CountingObserver()
        fake.continues_at_next = at_next
        async with opened(fake, clock, observer) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 300))
            put = await trickled(fake, clock, 300, 3)
            assert await reading == put
        calls = fake.subscribed[FIRST]
        gaps = [later - sooner for sooner, later in pairwise(calls)]
        assert len(calls) == fake.count("SubscribeToShard")
        assert all(LIFE_S * 0.75 < gap < LIFE_S for gap in gaps)
        assert not observer.retries

    run(main)


def test_shards_are_not_renewed_at_one_moment() -> None:
    """Those that were subscribed to together do not come together again."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock, shards=12)
        async with opened(fake, clock) as source:
            reading = [asyncio.ensure_future(values(source, shard, Place(), 1)) for shard in fake.shards]
            await clock.sleep(LIFE_S + 20)
            for task in reading:
                await cancelled(task)
        renewed = [calls[1] for calls in fake.subscribed.values()]
        assert max(renewed) - min(renewed) > 20

    run(main)


def test_one_that_the_server_ends_goes_on_where_it_ended() -> None:
    """Whenever it ends it: the next one begins at the number that the last event told."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.life_s = 20
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 200))
            put = await trickled(fake, clock, 200, 0.7)
            assert await reading == put
        starts = [given["StartingPosition"] for _, name, given in fake.calls if name == "SubscribeToShard"]
        assert [start["Type"] for start in starts] == ["TRIM_HORIZON"] + ["AT_SEQUENCE_NUMBER"] * (len(starts) - 1)
        assert len(starts) == 7

    run(main)


def test_one_that_is_cut_anywhere_in_a_frame_goes_on_behind_the_last_event() -> None:
    """In its lengths, its headers, its records, before its check; and none of it is taken for the end."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FanOutKinesis(clock), CountingObserver()
        cuts = [1, 4, 11, 12, 20, len(EVENT) - 5, len(EVENT) - 1]
        async with opened(fake, clock, observer) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 200))
            putting = asyncio.ensure_future(trickled(fake, clock, 200, 0.7))
            for cut in cuts:
                await clock.sleep(15)
                fake.pieces.append(EVENT[:cut])
            assert await reading == await putting
        assert observer.retries["SubscribeToShard", "TransientError"] == len(cuts)

    run(main)


def test_frames_that_are_none_are_not_taken() -> None:
    """A wrong check, no JSON, an impossible length: the subscription is taken out anew."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FanOutKinesis(clock), CountingObserver()
        too_long = b"\0\xff\xff\xff" + EVENT[4:]
        broken = [EVENT[:-1] + b"?", event_frame(b"{"), bytes(16), EVENT[:30] + b"?" + EVENT[31:], too_long]
        async with opened(fake, clock, observer) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 120))
            putting = asyncio.ensure_future(trickled(fake, clock, 120, 0.7))
            for frame in broken:
                await clock.sleep(15)
                fake.frames.append(frame)
            assert await reading == await putting
        assert observer.retries["SubscribeToShard", "TransientError"] == len(broken)
        # Nothing was waited for that a broken frame promised.
        assert clock.monotonic() < 90

    run(main)


def test_a_shard_that_somebody_else_reads_is_asked_for_once_a_second() -> None:
    """As after a worker that died a moment ago: AWS lets nobody take it over in the first five seconds."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        record = fake.put(b"there")
        async with opened(fake, clock) as source:
            dying = asyncio.ensure_future(values(source, FIRST, Place(), 2))
            await clock.sleep(1)
            await cancelled(dying)
            before = clock.monotonic()
            assert await values(source, FIRST, Place(), 1) == [record.data]
            assert clock.monotonic() - before < AGAIN_S + 2
        calls = fake.times("SubscribeToShard")
        assert all(later - sooner >= CALLS_S for sooner, later in pairwise(calls[1:]))

    run(main)


def test_one_that_is_taken_over_takes_it_back() -> None:
    """Two that read for one consumer: both get everything, a few seconds late, and neither asks without end."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        async with opened(fake, clock) as source, opened(fake, clock) as other:
            readers = [asyncio.ensure_future(values(each, FIRST, Place(), 60)) for each in (source, other)]
            put = await trickled(fake, clock, 60, 1)
            assert await asyncio.gather(*readers) == [put, put]
        assert fake.count("SubscribeToShard") < 60

    run(main)


@pytest.mark.parametrize("code", ["LimitExceededException", "ProvisionedThroughputExceededException"])
def test_a_throttled_subscription_draws_back(code: str) -> None:
    """Told as throttling, and ever more slowly."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FanOutKinesis(clock), CountingObserver()
        record = fake.put(b"there")
        fake.fail("SubscribeToShard", *[code] * 6)
        async with opened(fake, clock, observer) as source:
            assert await values(source, FIRST, Place(), 1) == [record.data]
        assert observer.throttles == {"SubscribeToShard": 6}
        assert clock.monotonic() > 6

    run(main)


def test_what_an_event_tells_of_is_raised_or_tried_again() -> None:
    """A fault of the server passes; a key that nobody may use is for a person."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FanOutKinesis(clock), CountingObserver()
        record = fake.put(b"there")
        fake.frames.append(exception_frame("InternalFailureException"))
        async with opened(fake, clock, observer) as source:
            assert await values(source, FIRST, Place(), 1) == [record.data]
            assert observer.retries["SubscribeToShard", "TransientError"] == 1
            fake.frames.append(exception_frame("KMSDisabledException"))
            with pytest.raises(RefusedError, match="enable the stream's KMS key"):
                await values(source, FIRST, Place(), 1)

    run(main)


def test_a_server_that_ends_every_subscription_at_once_ends_in_an_error() -> None:
    """The lane shows what is wrong instead of asking for ever."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.life_s = 0
        async with opened(fake, clock) as source:
            with pytest.raises(TransientError, match="before its first event"):
                await values(source, FIRST, Place(), 1)
        assert fake.count("SubscribeToShard") == 10

    run(main)


def test_a_number_that_the_server_does_not_take_is_given_up_for_the_last_record() -> None:
    """Reading goes on strictly after it."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.life_s = 20
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 50))
            putting = asyncio.ensure_future(trickled(fake, clock, 50, 1))
            await clock.sleep(10)
            fake.fail("SubscribeToShard", "InvalidArgumentException")
            assert await reading == await putting
        starts = [given["StartingPosition"]["Type"] for _, name, given in fake.calls if name == "SubscribeToShard"]
        assert starts[:3] == ["TRIM_HORIZON", "AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"]

    run(main)


@pytest.mark.parametrize(("by_null", "names_children"), [(True, True), (True, False), (False, True)])
def test_a_shard_ends_with_its_last_record(*, by_null: bool, names_children: bool) -> None:
    """Its last event has no number to continue at, or names the children: all records before it are handed out."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.marks_end_by_null, fake.names_children = by_null, names_children
        put = [fake.put(b"%d" % number).data for number in range(250)]
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 1_000))
            await clock.sleep(3)
            put.append(fake.put(b"last").data)
            fake.split(FIRST)
            assert await reading == put

    run(main)


def test_a_reader_that_comes_back_behind_a_shards_last_record_finds_its_end() -> None:
    """Its place is a record's; a missing number to continue at is never asked for."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        last = fake.put(b"last")
        fake.split(FIRST)
        async with opened(fake, clock) as source:
            assert await values(source, FIRST, Place(str(last.sequence), last.arrival_ms), 1) == []

    run(main)


def test_an_event_without_a_number_is_no_end_of_an_open_shard() -> None:
    """Some servers leave it out everywhere: the listing decides, and reading goes on behind the last record."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.names_no_number = True
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 100))
            assert await trickled(fake, clock, 100, 0.2) == await reading
        assert fake.count("ListShards") < 40

    run(main)


def test_empty_events_cost_nothing_and_tell_that_the_tip_is_reached() -> None:
    """A quiet quarter of an hour: a poll now and then proves until when all is read."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        record = fake.put(b"there")
        async with opened(fake, clock) as source:
            found = await until_idle(source, FIRST, Place())
            assert [len(batch) for batch in found] == [1, 0]
            assert found[-1].place.position == str(record.sequence)
            idle = asyncio.ensure_future(values(source, FIRST, found[-1].place, 1))
            before = fake.count("GetRecords")
            await clock.sleep(900)
            assert fake.count("GetRecords") - before < 100
            await cancelled(idle)

    run(main)


def test_an_event_that_waited_proves_nothing_of_the_time_since() -> None:
    """While there is no room, records come behind it: the watermark stays before the first one that is not read."""

    async def main(clock: VirtualClock) -> None:
        fake, budget = FanOutKinesis(clock), ByteBudget(BUDGET)
        async with (
            # After the first poll none is due for as long as the test lasts.
            opened(fake, clock, poll_interval_s=10_000) as source,
            aclosing(source.read(Partition(FIRST), Place(), budget)) as reading,
        ):
            following = asyncio.ensure_future(anext(reading))
            await clock.sleep(12)
            taken = await budget.reserve(BUDGET)
            await clock.sleep(60)
            waiting = fake.put(b"waiting")
            await clock.sleep(60)
            # As they were made before it came.
            fake.frames.extend([IDLE] * 3)
            taken.release()
            while True:
                batch = await following
                batch.release()
                if len(batch):
                    break
                assert (batch.place.watermark_ms or 0) <= waiting.arrival_ms, iso(batch.place.watermark_ms or 0)
                following = asyncio.ensure_future(anext(reading))

    run(main)


@pytest.mark.parametrize("answer_size", [10_000, 1], ids=["whole answers", "short answers"])
def test_an_event_that_is_larger_than_a_batch_is_handed_out_whole(
    monkeypatch: pytest.MonkeyPatch, answer_size: int
) -> None:
    """What there is no room for is polled: each user record once, in order, however little a poll brings."""
    monkeypatch.setattr(columns.columns, "__defaults__", (6_000,))

    async def main(clock: VirtualClock) -> None:
        fake, users = FanOutKinesis(clock), [(b"u%d" % n, b"%0200d" % n) for n in range(400)]
        fake.answer_size = answer_size
        for first in range(0, len(users), 40):
            fake.put(aggregate(users[first : first + 40]), key="a")
        async with opened(fake, clock) as source:
            reading = asyncio.ensure_future(batches(source, FIRST, Place(), len(users) + 1))
            await clock.sleep(0.5)
            later = fake.put(b"later")
            found = await reading
            assert [value for batch in found for value in batch.values] == [*(value for _, value in users), later.data]
            fake.put(b"at last")
            assert await values(source, FIRST, found[-1].place, 1) == [b"at last"]
        assert len(found) > 10

    run(main)


def test_an_event_that_is_too_large_to_be_taken_is_polled() -> None:
    """Nothing of it is read; subscribing goes on behind what it held."""

    async def main(clock: VirtualClock) -> None:
        fake, observer = FanOutKinesis(clock), CountingObserver()
        put = [fake.put(b"%d" % number).data for number in range(50)]
        fake.frames.append(prelude(LARGEST_FRAME + 1, 100))
        async with opened(fake, clock, observer) as source:
            reading = asyncio.ensure_future(values(source, FIRST, Place(), 51))
            await clock.sleep(10)
            put.append(fake.put(b"later").data)
            assert await reading == put
        assert fake.count("GetRecords") > 0
        assert not observer.retries["SubscribeToShard", "TransientError"]

    run(main)


def test_reading_resumes_strictly_after_any_record() -> None:
    """Inside of an aggregate too, whose record is polled once more to find the place in it."""

    async def main(clock: VirtualClock) -> None:
        fake = FanOutKinesis(clock)
        fake.put(b"before")
        fake.put(aggregate([(b"u%d" % number, b"%d" % number) for number in range(5)]))
        fake.put(b"after")
        async with opened(fake, clock) as source:
            found = await records(source, FIRST, Place(), 7)
            expected = [record.value for record in found]
            for index, record in enumerate(found[:-1]):
                after = Place(record.position, record.timestamp_ms)
                assert await values(source, FIRST, after, 6 - index) == expected[index + 1 :]

    run(main)
