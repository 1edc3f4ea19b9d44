"""Each shard's limit is used to nearly all of it, however the server counts, and little is refused."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from connectors.base import Batch, Clock, ConnectorError, Place, Scope
from connectors.codecs.catalogue import CodecName
from tests.connectors.kinesis.fake_writes import WritableKinesis, sink_into
from tests.connectors.kinesis.limits import Bucket, Limit, Window
from tests.simulation.virtual_time import VirtualClock, run

_BATCH = 500
_SETTLING_S = 5
_MEASURED_S = 25

_HOW: dict[str, Callable[[Clock], Limit]] = {
    "windows": Window,
    "half of it": lambda clock: Window(clock, 0.5),
    "bucket": Bucket,
    "small bucket": lambda clock: Bucket(clock, depth_s=0.3),
}


async def _pour(scope: Scope, lane: str, keys: int, size: int) -> None:
    """Submit as much as there is room for, until the scope breaks."""
    first = 0
    with suppress(ConnectorError):
        while True:
            await scope.room(lane)
            answer = scope.submit(lane, _batch(lane, first, keys, size))
            answer.add_done_callback(asyncio.Future.exception)
            if answer.done():
                await answer
            first += _BATCH


def _batch(lane: str, first: int, keys: int, size: int) -> Batch:
    positions = [str(number) for number in range(first, first + _BATCH)]
    names = [f"{lane}-{number % keys}".encode() for number in range(_BATCH)]
    times = [1_764_000_000_000] * _BATCH
    return Batch(lane, Place(positions[-1]), positions, names, [bytes(size)] * _BATCH, times, size=_BATCH * size)


def _share(before: tuple[int, int], limit: Limit, seconds: float) -> float:
    """Of the limit that counts, what was taken in so many seconds since ``before``."""
    records, data = limit.taken - before[0], limit.bytes_taken - before[1]
    return max(records / limit.records_per_s, data / limit.bytes_per_s) / seconds


@pytest.mark.parametrize(("codec", "keys", "size"), [("raw", 500, 500), ("raw", 100, 4_000), ("kpl", 50, 1_000)])
@pytest.mark.parametrize("how", _HOW)
def test_a_limit_is_found_and_used(how: str, codec: CodecName, keys: int, size: int) -> None:
    """From no limit at all: after some seconds more than 90 % is used, and few entries are refused."""

    async def main(clock: VirtualClock) -> None:
        limit = _HOW[how](clock)
        async with sink_into(WritableKinesis(clock, harm=limit), clock, codec, endpoint_url="x") as sink:
            pouring = asyncio.ensure_future(_pour(await sink.begin(), "lane", keys, size))
            await clock.sleep(_SETTLING_S)
            before, refused = (limit.taken, limit.bytes_taken), limit.refused
            await clock.sleep(_MEASURED_S)
            assert _share(before, limit, _MEASURED_S) > 0.92
            assert limit.refused - refused < 0.1 * (limit.taken - before[0])
            pouring.cancel()

    run(main)


@pytest.mark.parametrize("latency_s", [0.003, 0.02])
def test_a_single_key_has_all_of_its_shard(latency_s: float) -> None:
    """Aggregates of one key, one after another, fill what AWS allows a shard from the first second."""

    async def main(clock: VirtualClock) -> None:
        limit = Bucket(clock, latency_s=latency_s)
        async with sink_into(WritableKinesis(clock, harm=limit), clock, "kpl") as sink:
            pouring = asyncio.ensure_future(_pour(await sink.begin(), "lane", 1, 1_000))
            await clock.sleep(20)
            assert _share((0, 0), limit, 20) > 0.95
            assert limit.refused < 0.1 * limit.taken
            pouring.cancel()

    run(main)


def test_without_a_refusal_there_is_no_limit() -> None:
    """A server of the user's own is written to as fast as it answers."""

    async def main(clock: VirtualClock) -> None:
        limit = Window(clock, 1e6)
        async with sink_into(WritableKinesis(clock, harm=limit), clock, endpoint_url="x") as sink:
            pouring = asyncio.ensure_future(_pour(await sink.begin(), "lane", 500, 100))
            await clock.sleep(1)
            assert limit.taken > 20_000
            pouring.cancel()

    run(main)
