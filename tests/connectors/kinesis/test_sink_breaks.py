"""What becomes of calls and lanes when a writer breaks, and how the next one begins."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

import pytest
from msgspec.json import Decoder

from bridge.engine.policy import Policy
from connectors.base import ConnectorError, WithdrawnError
from connectors.kinesis.client import Answer
from tests.connectors.kinesis.fake_writes import Harm, Scripted, WritableKinesis, lane_of, sink_into
from tests.simulation.virtual_time import VirtualClock, run

T = TypeVar("T")


class Slow(Harm):
    """Each call takes as long as a test sets."""

    def __init__(self) -> None:
        self.takes_s = 0.01

    def latency_s(self) -> float:
        return self.takes_s


def test_what_landed_is_known_though_begin_was_cancelled() -> None:
    """Calls on the wire are waited for by the next begin as well, and nothing is written twice."""

    async def main(clock: VirtualClock) -> None:
        harm = Slow()
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            harm.takes_s = 5.0
            first = scope.submit("lane", lane_of(3))
            await clock.sleep(0.005)
            harm.takes_s = 0.01
            second = scope.submit("lane", lane_of(3_000, keys=3_000, first=3))
            await clock.sleep(1)
            scope.abort()
            await asyncio.gather(first, second, return_exceptions=True)
            beginning = asyncio.ensure_future(sink.begin())
            await clock.sleep(0.1)
            beginning.cancel()
            await asyncio.wait([beginning])
            scope = await sink.begin()
            assert not fake.out.total()
            await asyncio.gather(
                scope.submit("lane", lane_of(3)), scope.submit("lane", lane_of(3_000, keys=3_000, first=3))
            )
        assert len(fake.entries) == 3_003

    run(main)


@pytest.mark.parametrize("answer", ["lost", "throttled"])
def test_a_lane_that_was_handed_over_is_not_written_any_more(answer: str) -> None:
    """A call that is repeated ends with the scope, once the lane was withdrawn."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        harm.on_call = lambda _: answer
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            submitted = scope.submit("lane", lane_of(3))
            await clock.sleep(3)
            scope.withdraw(["lane"])
            scope.abort()
            with pytest.raises(ConnectorError):
                await submitted
            await clock.sleep(0.02)
            harm.on_call = lambda _: ""
            await clock.sleep(60)
        assert fake.entries == []

    run(main)


def test_an_aborted_scope_ends_calls_that_were_only_throttled() -> None:
    """Nothing of them was written, so they are not repeated, whoever owns their lanes."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        harm.on_call = lambda _: "throttled"
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            submitted = scope.submit("lane", lane_of(3))
            await clock.sleep(3)
            scope.abort()
            await asyncio.gather(submitted, return_exceptions=True)
            harm.on_call = lambda _: ""
            await clock.sleep(60)
            assert fake.entries == []
            await (await sink.begin()).submit("lane", lane_of(3))
        assert len(fake.entries) == 3

    run(main)


def test_an_aborted_scope_repeats_what_has_no_answer_for_the_lanes_that_stay() -> None:
    """Theirs must be known before they are submitted again; a lane withdrawn from the broken scope is left out."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        harm.on_call = lambda _: "lost"
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            answers = [scope.submit(lane, lane_of(3, lane=lane)) for lane in ("stays", "gone")]
            await clock.sleep(3)
            scope.abort()
            scope.withdraw(["gone"])
            await asyncio.gather(*answers, return_exceptions=True)
            harm.on_call = lambda _: ""
            scope = await sink.begin()
            assert sorted(entry.data for entry in fake.entries) == [b"stays/0", b"stays/1", b"stays/2"]
            await scope.submit("stays", lane_of(3, lane="stays"))
        assert len(fake.entries) == 3

    run(main)


def test_a_withdrawn_lane_is_answered_in_the_time_of_a_hand_over() -> None:
    """A call without an answer is repeated for some seconds, then given up; other lanes in it go on."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        harm.on_call = lambda _: "lost"
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            stays, gone = (scope.submit(lane, lane_of(3, lane=lane)) for lane in ("stays", "gone"))
            await clock.sleep(60)
            before = len(fake.puts)
            scope.withdraw(["gone"])
            async with asyncio.timeout(Policy().withdrawn_s):
                with pytest.raises(WithdrawnError):
                    await gone
            assert len(fake.puts) > before
            harm.on_call = lambda _: ""
            await stays
        assert {entry.data.split(b"/")[0] for entry in fake.entries} == {b"stays"}

    run(main)


def test_room_is_not_waited_for_in_a_lane_that_was_withdrawn() -> None:
    """Who waits for it is let go."""

    async def main(clock: VirtualClock) -> None:
        harm = Scripted()
        harm.on_call = lambda _: "throttled"
        fake = WritableKinesis(clock, harm=harm)
        async with sink_into(fake, clock) as sink:
            scope = await sink.begin()
            answer = scope.submit("lane", replace(lane_of(20), size=20_000_000))
            waiting = asyncio.ensure_future(scope.room("lane"))
            await clock.sleep(1)
            assert not waiting.done()
            scope.withdraw(["lane"])
            await waiting
            with pytest.raises(WithdrawnError):
                await answer

    run(main)


class Puzzling(WritableKinesis):
    """From some time on it is asked for the stream in a way that fails."""

    is_broken = False

    async def call(self, operation: str, parameters: Mapping[str, object], answer: Decoder[T]) -> Answer[T]:
        if self.is_broken and operation == "DescribeStreamSummary":
            raise ArithmeticError
        return await super().call(operation, parameters, answer)


def test_a_bug_in_the_watch_of_the_stream_ends_the_sink() -> None:
    """Nothing is written without it: the scope breaks, and begin raises what it was."""

    async def main(clock: VirtualClock) -> None:
        fake = Puzzling(clock)
        async with sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            fake.is_broken = True
            await clock.sleep(65)
            fake.is_broken = False
            with pytest.raises(ConnectorError, match="ArithmeticError"):
                await scope.submit("lane", lane_of(3))
            with pytest.raises(ArithmeticError):
                await sink.begin()

    run(main)


def test_entering_lists_the_shards_but_once() -> None:
    """By the tries that entering has, so that a fault of the moment is no other error than promised."""

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        async with sink_into(fake, clock, endpoint_url="x"):
            assert fake.count("ListShards") == 1

    run(main)
