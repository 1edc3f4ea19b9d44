"""What the sink does about each kind of failure."""

import asyncio
from dataclasses import replace
from itertools import pairwise

import pytest

from connectors.base import Batch, ConnectorError, RefusedError
from connectors.codecs.catalogue import CodecName
from connectors.codecs.kpl import hash_of
from connectors.kinesis.answers import PutEntry
from tests.connectors.kinesis.fake import HASHES, CountingObserver
from tests.connectors.kinesis.fake_writes import Scripted, WritableKinesis, lane_of, once, sink_into
from tests.connectors.kinesis.leaping_clock import LeapingClock
from tests.connectors.kinesis.writing import decoded
from tests.contracts.sink import batch
from tests.simulation.virtual_time import VirtualClock, VirtualLoop, run


def test_a_lost_answer_is_repeated_at_once_and_ahead_of_its_keys() -> None:
    """The same entries go out again before anything else of their keys, and then not in a hurry, for ever."""

    async def main(clock: VirtualClock) -> None:
        harm, observer = Scripted(), CountingObserver()
        harm.on_call = once("unheard", "lost", "lost")
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock, observer=observer, endpoint_url="x") as sink:
            scope = await sink.begin()
            await asyncio.gather(scope.submit("lane", lane_of(3)), scope.submit("lane", lane_of(3, first=3)))
        sent = [[entry.data for entry in entries] for _, entries in fake.puts]
        assert sent == [sent[0]] * 4 + [[b"lane/3", b"lane/4", b"lane/5"]]
        (first, _), (second, _), *_ = fake.puts
        assert second - first < 0.02
        assert observer.retries["PutRecords", "TransientError"] == 3

    run(main)


def test_a_refusal_breaks_the_scope_and_is_told_once() -> None:
    """All submissions raise, the next begin says why, and the one after goes on."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        harm.on_call = once("refused")
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            answers = [scope.submit("lane", lane_of(3)), scope.submit("lane", lane_of(3, first=3))]
            done = await asyncio.gather(*answers, return_exceptions=True)
            assert all(isinstance(each, RefusedError) for each in done)
            with pytest.raises(ConnectorError):
                await scope.submit("lane", lane_of(3))
            with pytest.raises(RefusedError, match="AccessDenied"):
                await sink.begin()
            scope = await sink.begin()
            assert (await scope.submit("lane", lane_of(6))).rejected == ()
        assert len(fake.entries) == 6

    run(main)


def test_the_next_scope_waits_until_every_call_is_known() -> None:
    """What landed after the break is not written a second time."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            answer = scope.submit("lane", lane_of(30, keys=30))
            await clock.sleep(0.005)
            scope.abort()
            with pytest.raises(ConnectorError):
                await answer
            assert fake.entries == []
            scope = await sink.begin()
            assert len(fake.entries) == 30
            assert (await scope.submit("lane", lane_of(30, keys=30))).rejected == ()
        assert len(fake.entries) == 30

    run(main)


@pytest.mark.parametrize("codec", ["raw", "kpl"])
def test_a_record_that_the_server_calls_invalid_is_found_and_rejected_alone(codec: CodecName) -> None:
    """The call is halved until the culprit is alone; an aggregate is taken apart; the others arrive, in order."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        harm.on_call = lambda entries: "invalid" if any(b"lane/7x" in each.data for each in entries) else ""
        fake = WritableKinesis(clock, harm=harm)
        sent = lane_of(20)
        sent = replace(sent, values=[value + b"x" for value in sent.values if value is not None])
        async with sink_into(fake, clock, codec, endpoint_url="x") as sink:
            outcome = await (await sink.begin()).submit("lane", sent)
        assert [(each.index, each.reason) for each in outcome.rejected] == [(7, "invalid_record")]
        written = b"".join(entry.data for entry in fake.entries)
        assert all((b"lane/%dx" % number in written) == (number != 7) for number in range(20))
        ones = [number for number in range(1, 20, 3) if number != 7]
        places = [written.index(b"lane/%dx" % number) for number in ones]
        assert places == sorted(places)

    run(main)


def test_a_call_of_which_nothing_is_taken_breaks_the_scope() -> None:
    """What is wrong then concerns the stream, and no record is rejected for it."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        harm.on_call = lambda _: "invalid"
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock, "raw", endpoint_url="x") as sink:
            with pytest.raises(RefusedError):
                await (await sink.begin()).submit("lane", lane_of(20, keys=20))
            with pytest.raises(RefusedError):
                await sink.begin()
            harm.on_call = lambda _: ""
            assert (await (await sink.begin()).submit("lane", lane_of(20, keys=20))).rejected == ()
        assert len(fake.entries) == 20

    run(main)


def test_entries_that_the_server_failed_to_write_wait_ever_longer() -> None:
    """While other keys go on."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        fake = WritableKinesis(clock, harm=harm)
        left = 4

        def fail(entry: PutEntry) -> str:
            nonlocal left
            if entry.partition_key != "lane-0" or left == 0:
                return ""
            left -= 1
            return "InternalFailure"

        harm.on_entry = fail
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            answer = scope.submit("lane", lane_of(9))
            await clock.sleep(0.08)
            assert [entry.data for entry in fake.entries] == [b"lane/%d" % n for n in (1, 2, 4, 5, 7, 8)]
            await answer
        tries = [at for at, entries in fake.puts if any(each.data == b"lane/0" for each in entries)]
        assert len(tries) == 5
        waits = [after - before for before, after in pairwise(tries)]
        assert waits[-1] > waits[0] > 0.04

    run(main)


def test_a_throttled_shard_does_not_hold_up_the_others() -> None:
    """Its keys wait, those of the other shard arrive."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        fake = WritableKinesis(clock, shards=2, harm=harm)
        refuses = True
        harm.on_entry = lambda entry: (
            "ProvisionedThroughputExceededException"
            if refuses and hash_of(entry.partition_key.encode()) < HASHES // 2
            else ""
        )
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            answer = scope.submit("lane", lane_of(1_000, keys=100))
            await clock.sleep(5)
            first, second = fake.shards.values()
            assert not first.records
            assert len(second.records) > 400
            probes = len(fake.puts)
            await clock.sleep(5)
            assert len(fake.puts) - probes < 30
            refuses = False
            await answer
        assert len(fake.entries) == 1_000

    run(main)


def test_calls_stay_within_the_limits_of_the_service() -> None:
    """500 entries, and some MiB unless one entry alone is larger."""

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            small = lane_of(2_000, keys=2_000)
            large = replace(lane_of(20, keys=20, lane="large"), values=[bytes(900_000)] * 20)
            await asyncio.gather(scope.submit("lane", small), scope.submit("large", large))
        assert max(len(entries) for _, entries in fake.puts) == 500
        sizes = [sum(len(each.data) for each in entries) for _, entries in fake.puts]
        assert max(sizes) < 4 * 2**20
        assert len(fake.puts) < 16

    run(main)


def test_a_stream_without_order_is_refused() -> None:
    """On entering, and in mid-run within a minute: then the scope breaks, and the next begin says why."""

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        fake.extra_summary = {"RecordDistributionStrategy": "AUTO"}
        with pytest.raises(RefusedError, match="AUTO"):
            async with sink_into(fake, clock, endpoint_url="x"):
                pass
        fake.extra_summary = {}
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            fake.extra_summary = {"RecordDistributionStrategy": "AUTO"}
            await clock.sleep(65)
            with pytest.raises(ConnectorError, match="AUTO"):
                await scope.submit("lane", lane_of(1))
            with pytest.raises(RefusedError, match="USER_PARTITION_KEY"):
                await sink.begin()
            fake.extra_summary = {}
            await (await sink.begin()).submit("lane", lane_of(1))

    run(main)


def test_a_stream_that_was_created_anew_is_not_written_to() -> None:
    """A stream of the same name is another one."""

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            fake.created_s += 60
            await clock.sleep(65)
            with pytest.raises(ConnectorError, match="created"):
                await scope.submit("lane", lane_of(1))
            with pytest.raises(RefusedError, match="created"):
                await sink.begin()
            with pytest.raises(RefusedError, match="created"):
                await sink.begin()
        assert fake.entries == []

    run(main)


def test_a_reshard_of_the_target_changes_nothing() -> None:
    """Records go to the children, each key in order, and the rates are those of the new shards."""

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        async with sink_into(fake, clock) as sink:
            scope = await sink.begin()
            await scope.submit("lane", lane_of(500, keys=50))
            (parent,) = fake.shards
            fake.split(parent)
            answers = [scope.submit("lane", lane_of(500, keys=50, first=first)) for first in range(500, 6_500, 500)]
            begun = clock.monotonic()
            await asyncio.gather(*answers)
            # One shard's limit would take six seconds.
            assert clock.monotonic() - begun < 5
        _, left, right = fake.shards.values()
        assert min(len(left.records), len(right.records)) > 2_000
        arrived = [int(entry.data.split(b"/")[1]) for entry in fake.entries if entry.partition_key == "lane-7"]
        assert arrived == sorted(arrived)

    run(main)


def test_a_lane_queues_no_more_than_some_seconds_take() -> None:
    """Room is given while little waits, and not beyond."""

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        async with sink_into(fake, clock) as sink:
            scope = await sink.begin()
            submitted = 0

            async def fill() -> None:
                nonlocal submitted
                while True:
                    await scope.room("lane")
                    sent = lane_of(100, keys=100, first=submitted)
                    scope.submit("lane", replace(sent, values=[bytes(1_000)] * 100, size=100_000)).add_done_callback(
                        lambda answer: answer.exception()
                    )
                    submitted += 100

            filling = asyncio.ensure_future(fill())
            await clock.sleep(10)
            waiting = submitted - len(fake.entries)
            filling.cancel()
        assert 1_000 < waiting < 3_000

    run(main)


def test_a_process_that_was_stopped_asks_before_it_writes() -> None:
    """What was taken away from it meanwhile is not sent, not even a call that had no answer."""

    async def main(_: VirtualClock) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock = LeapingClock(loop)
        harm = Scripted()
        harm.on_call = once("", "lost")
        fake = WritableKinesis(clock, harm=harm)
        asked = 0

        async def confirm() -> None:
            nonlocal asked
            asked += 1
            scope.withdraw(["gone"])

        async with sink_into(fake, clock, confirm=confirm, endpoint_url="x", away_s=3.0) as sink:
            scope = await sink.begin()
            await scope.submit("stays", lane_of(3, lane="stays"))
            kept = scope.submit("stays", lane_of(3, lane="stays", first=3))
            gone = scope.submit("gone", lane_of(3, lane="gone"))
            later = scope.submit("gone", lane_of(3, lane="gone", first=3))
            await clock.sleep(0.005)
            clock.leapt_s += 10
            assert (await kept).rejected == ()
            assert all(
                isinstance(each, ConnectorError) for each in await asyncio.gather(gone, later, return_exceptions=True)
            )
            assert asked == 1
            await clock.sleep(10)
            await scope.submit("stays", lane_of(3, lane="stays", first=6))
            assert asked == 1
        assert {entry.data.split(b"/")[0] for entry in fake.entries} == {b"stays"}

    run(main)


def test_what_no_record_of_the_stream_may_be_is_known_before() -> None:
    """Data and key together, as encoded, against the stream's own limit; the codec's refusals beside it."""

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            limit = 1024 * 1024
            values = [b"", bytes(limit - 6), bytes(limit - 5), None]
            refused = sink.inspect(batch("lane", values))
            assert [(each.index, each.reason) for each in refused] == [(2, "too_large"), (3, "null_value")]
            assert sink.too_small_for(limit) == ""
            assert "MaxRecordSizeInKiB=1024, needs 1025" in sink.too_small_for(limit + 1)
            fake.extra_summary = {"MaxRecordSizeInKiB": 10_240}
            await sink.look_again("lane")
            assert [each.reason for each in sink.inspect(batch("lane", values))] == ["null_value"]
        fake.extra_summary = {"MaxRecordSizeInKiB": 10_240}
        async with sink_into(fake, clock, "kpl", endpoint_url="x") as sink:
            assert sink.inspect(batch("lane", values)) == ()

    run(main)


@pytest.mark.parametrize(
    ("codec", "large"),
    [
        ("envelope", batch("lane", [bytes(250_000)])),
        ("kpl", replace(batch("lane", [b""]), headers=[(("", b""),) * 100_000])),
    ],
)
def test_what_grows_beyond_the_limit_is_known_before(codec: CodecName, large: Batch) -> None:
    """Control characters take six bytes in JSON, headers some bytes each."""

    async def main(clock: VirtualClock) -> None:
        async with sink_into(WritableKinesis(clock), clock, codec, endpoint_url="x") as sink:
            assert [each.reason for each in sink.inspect(large)] == ["too_large"]

    run(main)


def test_a_lone_record_does_not_wait_for_others() -> None:
    """While a call slot is free, it is on its way at once."""

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        async with sink_into(fake, clock) as sink:
            scope = await sink.begin()
            for number in range(3):
                begun = clock.monotonic()
                await scope.submit("lane", lane_of(1, first=number))
                assert clock.monotonic() - begun < 0.03
                await clock.sleep(1)

    run(main)


def test_an_aggregate_holds_no_more_than_its_readers_can() -> None:
    """Its records are counted before compression, which may make hundreds of MiB out of one entry."""

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        large = replace(lane_of(200, keys=1), values=[bytes(100_000)] * 200, size=20_000_000)
        async with sink_into(fake, clock, "kpl", compression="zstd", endpoint_url="x") as sink:
            await (await sink.begin()).submit("lane", large)
        packs = [decoded("lane", [("1", entry.partition_key, entry.data)]) for entry in fake.entries]
        held = [sum(len(record.value or b"") for record in pack) for pack in packs]
        assert sum(held) == 20_000_000
        assert 1_000_000 < max(held) <= 2 * 2**20

    run(main)
