"""What every sink promises, as tests: a subclass says how to look at what was written."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from connectors import provenance
from connectors.base import ORIGIN_HEADER, Batch, ConnectorError, Outcome, Place, Record, Sink

_ARRIVED_MS = 1_764_000_000_000
_PATIENCE_S = 30


class Target(ABC):
    """A sink, entered, and what is in the place it writes to."""

    sink: Sink

    @abstractmethod
    async def written(self) -> Sequence[Record]:
        """All records there, those of one key in the order of arrival. Partition and position are the reader's own."""


def batch(lane: str, values: Sequence[bytes | None], *, keys: int = 3, first: int = 0) -> Batch:
    """A batch whose records have ``keys`` keys in turn, all of this lane alone."""
    numbers = range(first, first + len(values))
    positions = [str(number) for number in numbers]
    return Batch(
        partition=lane,
        place=Place(positions[-1], _ARRIVED_MS),
        positions=positions,
        keys=[f"{lane}-{number % keys}".encode() for number in numbers],
        values=values,
        timestamps_ms=[_ARRIVED_MS + number for number in numbers],
    )


def _in_parts(given: Batch) -> Batch:
    """The same records, three by three of one source record."""
    positions = [given.positions[index - index % 3] for index in range(len(given))]
    return replace(given, positions=positions, parts=[index % 3 for index in range(len(given))])


def series(lane: str, count: int, first: int = 0) -> list[bytes | None]:
    return [f"{lane}/{number}".encode() for number in range(first, first + count)]


def by_key(records: Sequence[Record]) -> dict[bytes | None, list[bytes | None]]:
    keys: dict[bytes | None, list[bytes | None]] = {}
    for record in records:
        keys.setdefault(record.key, []).append(record.value)
    return keys


class Saving:
    """A ``save`` that counts its calls and keeps what they covered."""

    def __init__(self) -> None:
        self.calls = 0
        self.covered: dict[str, Place] = {}

    async def __call__(self, covered: Mapping[str, Place]) -> None:
        self.calls += 1
        self.covered |= covered


async def deliver(sink: Sink, *batches: Batch) -> list[Outcome]:
    """Submit all ``batches`` without waiting, in a scope of their own, and commit it."""
    scope = await sink.begin()
    answers = [scope.submit(each.partition, each) for each in batches]
    if not scope.waits:
        await asyncio.gather(*answers)
    try:
        await scope.commit(Saving())
    except BaseException:
        await asyncio.gather(*answers, return_exceptions=True)
        raise
    return await asyncio.gather(*answers)


class SinkContract:
    """Subclasses are named ``Test…`` and give a fixture ``target``, entered and empty."""

    @pytest.fixture
    def target(self) -> Target:
        raise NotImplementedError

    async def test_what_is_answered_is_there(self, target: Target) -> None:
        """After the answer, the records are there: keys, values and times as they were."""
        sent = batch("lane", series("lane", 10))
        (outcome,) = await deliver(target.sink, sent)
        assert outcome.rejected == ()
        written = sorted(await target.written(), key=lambda record: record.timestamp_ms)
        assert [record.value for record in written] == list(sent.values)
        assert [record.key for record in written] == list(sent.keys)
        assert [record.timestamp_ms for record in written] == list(sent.timestamps_ms)

    async def test_a_lane_keeps_its_order_over_many_batches(self, target: Target) -> None:
        """Batches submitted without waiting arrive in the order of the calls, key by key, across scopes."""
        batches = [batch("lane", series("lane", 25, first), first=first) for first in range(0, 500, 25)]
        await deliver(target.sink, *batches[:7])
        await deliver(target.sink, *batches[7:])
        assert by_key(await target.written()) == by_key([record for each in batches for record in each.records()])

    async def test_lanes_do_not_disturb_one_another(self, target: Target) -> None:
        """Several lanes at once: each key in the order of its lane."""
        batches = [
            batch(lane, series(lane, 20, first), first=first) for first in range(0, 100, 20) for lane in ("a", "b", "c")
        ]
        await deliver(target.sink, *batches)
        assert by_key(await target.written()) == by_key([record for each in batches for record in each.records()])

    async def test_empty_and_binary_values_pass_unchanged(self, target: Target) -> None:
        """No byte is special, and no bytes at all are a value too."""
        odd: list[bytes | None] = [b"", bytes(range(256)), b"\n", "späť".encode(), b"\x00"]
        await deliver(target.sink, batch("lane", odd, keys=1))
        assert [record.value for record in await target.written()] == odd

    async def test_headers_keep_order_repeats_and_nulls(self, target: Target) -> None:
        """A header list is a list: names repeat, values may be null, and the origin comes last."""
        headers = (("a", b"1"), ("b", None), ("a", b"2"))
        one = batch("lane", [b"value"])
        sent = Batch(
            one.partition, one.place, one.positions, one.keys, one.values, one.timestamps_ms, [headers], [b"x/y/1>z"]
        )
        await deliver(target.sink, sent)
        (record,) = await target.written()
        assert record.headers == (*headers, ("kmbridge-origin", b"x/y/1>z"))

    async def test_a_commit_saves_exactly_once(self, target: Target) -> None:
        """``save`` is called once, with the places of the lanes whose answers wait for it, and the next goes on."""
        save = Saving()
        for round_ in range(3):
            scope = await target.sink.begin()
            sent = batch("lane", series("lane", 3, round_ * 3), first=round_ * 3)
            answer = scope.submit("lane", sent)
            waits = scope.waits
            if not waits:
                await answer
            await scope.commit(save)
            assert (await answer).rejected == ()
            assert save.calls == round_ + 1
            assert save.covered == ({"lane": sent.place} if waits else {})
        assert len(await target.written()) == 9

    async def test_errors_of_save_pass_through(self, target: Target) -> None:
        """Whoever commits learns why the checkpoints were not kept; the sink goes on."""

        async def fail(_: Mapping[str, Place]) -> None:
            raise RuntimeError("disk full")

        scope = await target.sink.begin()
        with pytest.raises(RuntimeError, match="disk full"):
            await scope.commit(fail)
        await deliver(target.sink, batch("lane", series("lane", 1)))
        assert len(await target.written()) == 1

    async def test_has_an_address_and_finds_nothing_to_refuse_in_plain_records(self, target: Target) -> None:
        """The address fits into provenance, and ordinary records pass inspection."""
        assert ">" not in target.sink.address
        assert target.sink.inspect(batch("lane", series("lane", 5))) == ()


class WaitingScopeContract(SinkContract):
    """For sinks whose scopes are answered by their commit."""

    async def test_nothing_is_seen_or_answered_before_the_commit(self, target: Target) -> None:
        """Until then a reader finds nothing, and whoever submitted waits."""
        scope = await target.sink.begin()
        answer = scope.submit("lane", batch("lane", series("lane", 3)))
        assert scope.waits
        assert not answer.done()
        assert await target.written() == []
        await scope.commit(Saving())
        assert (await answer).rejected == ()
        assert len(await target.written()) == 3

    async def test_a_commit_covers_the_last_place_of_each_lane(self, target: Target) -> None:
        """What is saved is where each lane stands with this scope, and nothing of the one behind it."""
        save = Saving()
        scope = await target.sink.begin()
        sent = [batch("a", series("a", 3)), batch("a", series("a", 3, 3), first=3), batch("b", series("b", 2))]
        answers = [scope.submit(each.partition, each) for each in sent]
        following = await target.sink.begin()
        later = following.submit("a", batch("a", series("a", 1, 6), first=6))
        await scope.commit(save)
        await asyncio.gather(*answers)
        assert save.covered == {"a": sent[1].place, "b": sent[2].place}
        assert not later.done()
        await following.commit(save)
        assert (await later).rejected == ()

    async def test_an_aborted_scope_leaves_nothing(self, target: Target) -> None:
        """What waits for it raises, what is submitted later raises, and the next scope can be committed."""
        scope = await target.sink.begin()
        answer = scope.submit("lane", batch("lane", series("lane", 3)))
        scope.abort()
        with pytest.raises(ConnectorError):
            await answer
        with pytest.raises(ConnectorError):
            await scope.submit("lane", batch("lane", series("lane", 3)))
        await deliver(target.sink, batch("lane", series("lane", 2)))
        assert by_key(await target.written()) == by_key(list(batch("lane", series("lane", 2)).records()))

    async def test_what_cannot_be_saved_does_not_become_visible(self, target: Target) -> None:
        """Records and checkpoints go together: without the one there is not the other."""

        async def fail(_: Mapping[str, Place]) -> None:
            raise RuntimeError("disk full")

        scope = await target.sink.begin()
        answer = scope.submit("lane", batch("lane", series("lane", 3)))
        with pytest.raises(RuntimeError, match="disk full"):
            await scope.commit(fail)
        with pytest.raises(ConnectorError):
            await answer
        assert await target.written() == []


class StreamingScopeContract(SinkContract):
    """For sinks whose answers do not wait for a commit, and which can take back what is not on its way."""

    async def test_there_is_room_again_when_a_lane_is_answered(self, target: Target) -> None:
        """A lane that waits for room before each batch is never held up for good, nor one that does not exist yet."""
        scope = await target.sink.begin()
        answers = []
        async with asyncio.timeout(_PATIENCE_S):
            for first in range(0, 200, 20):
                await scope.room("lane")
                answers.append(scope.submit("lane", batch("lane", series("lane", 20, first), first=first)))
            await asyncio.gather(*answers)
            await scope.room("lane")

    async def test_a_withdrawn_lane_is_written_once_when_it_is_submitted_again(self, target: Target) -> None:
        """What had reached the sink by then is remembered: no record is lost, doubled or out of order."""
        batches = [batch("lane", series("lane", 40, first), first=first) for first in range(0, 2_000, 40)]
        scope = await target.sink.begin()
        answers = [scope.submit("lane", each) for each in batches]
        await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        scope.withdraw(["lane", "another"])
        done = await asyncio.gather(*answers, return_exceptions=True)
        answered = next((index for index, each in enumerate(done) if isinstance(each, Exception)), len(batches))
        assert all(isinstance(each, Outcome | ConnectorError) for each in done)
        await deliver(target.sink, *batches[answered:])
        assert by_key(await target.written()) == by_key([record for each in batches for record in each.records()])

    async def test_withdrawing_one_lane_leaves_the_others_alone(self, target: Target) -> None:
        """Their submissions are answered as if nothing had happened."""
        scope = await target.sink.begin()
        kept = scope.submit("a", batch("a", series("a", 100)))
        given_up = scope.submit("b", batch("b", series("b", 100)))
        scope.withdraw(["b"])
        await asyncio.gather(given_up, return_exceptions=True)
        assert (await kept).rejected == ()
        written = [
            record for record in await target.written() if record.key is not None and record.key.startswith(b"a")
        ]
        assert by_key(written) == by_key(list(batch("a", series("a", 100)).records()))

    async def test_an_aborted_scope_takes_nothing_and_the_next_one_doubles_nothing(self, target: Target) -> None:
        """Everything unanswered raises, and what had reached the sink is not written again."""
        batches = [batch("lane", series("lane", 40, first), first=first) for first in range(0, 2_000, 40)]
        scope = await target.sink.begin()
        answers = [scope.submit("lane", each) for each in batches]
        scope.abort()
        assert all(isinstance(each, ConnectorError) for each in await asyncio.gather(*answers, return_exceptions=True))
        with pytest.raises(ConnectorError):
            await scope.submit("lane", batches[0])
        await deliver(target.sink, *batches)
        assert by_key(await target.written()) == by_key([record for each in batches for record in each.records()])

    async def test_parts_of_one_record_are_told_apart_after_a_break(self, target: Target) -> None:
        """Of a record that was split what had reached the sink is not written again, and the rest is."""
        batches = [_in_parts(batch("lane", series("lane", 40, first), first=first)) for first in range(0, 1_000, 40)]
        scope = await target.sink.begin()
        answers = [scope.submit("lane", each) for each in batches]
        await asyncio.wait(answers, return_when=asyncio.FIRST_COMPLETED)
        scope.abort()
        await asyncio.gather(*answers, return_exceptions=True)
        unanswered = next((at for at, each in enumerate(answers) if each.exception() is not None), len(batches))
        await deliver(target.sink, *batches[unanswered:])
        assert by_key(await target.written()) == by_key([record for each in batches for record in each.records()])


class ReadBackContract:
    """For sinks that can tell what of a source is there."""

    @pytest.fixture
    def target(self) -> Target:
        raise NotImplementedError

    async def test_what_was_written_since_a_time_is_known(self, target: Target) -> None:
        """Positions by partition, of this source and this hop alone."""
        sink = target.sink
        before_ms = _now_ms(sink)
        await deliver(sink, _of(sink, "x:here", "p", 30), _of(sink, "x:here", "q", 10), _of(sink, "x:there", "p", 5))
        landed = await sink.landed("x:here", {"p": before_ms, "r": before_ms})
        assert {partition: set(positions) for partition, positions in landed.items()} == {
            "p": {str(number) for number in range(30)},
            "r": set(),
        }
        assert await sink.knows("x:here")
        assert not await sink.knows("x:elsewhere")

    async def test_parts_of_one_record_are_known_each(self, target: Target) -> None:
        """The first by the position, the others by their numbers too."""
        sink = target.sink
        before_ms = _now_ms(sink)
        parts = _in_parts(_of(sink, "x:here", "p", 6))
        stamped = provenance.stamp(parts, "x:here", sink.address)
        await deliver(sink, stamped.pick([0, 1, 2, 4]))
        assert set((await sink.landed("x:here", {"p": before_ms}))["p"]) == {"0", "0~1", "0~2", "3~1"}

    async def test_replayed_and_forwarded_records_did_not_land(self, target: Target) -> None:
        """Neither what was sent again on purpose, nor what an application copied from elsewhere with its headers."""
        sink = target.sink
        before_ms = _now_ms(sink)
        forwarded = replace(_of(sink, "x:here", "p", 1), origins=[b"x:here/p/0>x:elsewhere"])
        replayed = replace(_of(sink, "x:here", "p", 1, first=1), headers=[(("kmbridge-replay", b"1"),)])
        passed_on = replace(_of(sink, "x:between", "p", 1, first=2), headers=[_hop(sink, "x:here", "p", "2")])
        await deliver(sink, forwarded, replayed, passed_on)
        assert set((await sink.landed("x:here", {"p": before_ms}))["p"]) == set()
        assert not await sink.knows("x:here")


def _now_ms(sink: Sink) -> int:
    now_ms = sink.now_ms()
    assert now_ms is not None
    return now_ms


def _of(sink: Sink, source: str, lane: str, count: int, *, first: int = 0) -> Batch:
    """A batch whose records carry where they come from."""
    sent = batch(lane, series(lane, count, first), first=first)
    return replace(sent, origins=[f"{source}/{lane}/{position}>{sink.address}".encode() for position in sent.positions])


def _hop(sink: Sink, source: str, lane: str, position: str) -> tuple[tuple[str, bytes], ...]:
    return ((ORIGIN_HEADER, f"{source}/{lane}/{position}>{sink.address}".encode()),)
