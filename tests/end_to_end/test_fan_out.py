"""A mirror that subscribes to its stream, under everything that happens to a mirror that polls."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from tests.support.checker import check_exact
from tests.support.factories import Figure
from tests.support.kinesis_proxy import KinesisProxy
from tests.support.records import generate, ids_by_key
from tests.support.resharding import merge_two, split_one
from tests.support.route import RouteFactory
from tests.support.waiting import eventually

KEYS = 1_000
CUT_S = 2.0
FAN_OUT = {"source": {"kinesis": {"read": "fan_out"}}}


@pytest.mark.parametrize(
    ("records", "shards", "rounds"),
    [pytest.param(12_000, 2, 3, id="small"), pytest.param(100_000, 4, 10, id="full", marks=pytest.mark.long)],
)
async def test_subscriptions_that_are_cut_while_shards_split_and_merge_lose_and_double_nothing(
    route: RouteFactory,
    proxy: KinesisProxy,
    seed: int,
    draw: Random,
    figure: Figure,
    *,
    records: int,
    shards: int,
    rounds: int,
) -> None:
    """Each connection is cut in the midst of an event when it is two seconds old; every key keeps its order."""
    path = route(shards=shards)
    proxy.cut_after_s = CUT_S
    sent = list(generate(records, KEYS, seed=seed))
    share = len(sent) // rounds
    async with path.via(kinesis=proxy.address).mirror(FAN_OUT) as mirror:
        for number in range(rounds):
            reshard = merge_two if number % 2 else split_one
            part = sent[number * share : (number + 1) * share if number < rounds - 1 else None]
            cut_again = _cut_again(proxy)
            await asyncio.gather(path.write(part), asyncio.to_thread(reshard, path.source, draw))
            await eventually(cut_again, "a subscription cut")
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    figure("cut", proxy.cuts)
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
    assert any(call.operation == "SubscribeToShard" for call in proxy.calls)


def _cut_again(proxy: KinesisProxy) -> Callable[[], bool]:
    before = proxy.cuts
    return lambda: proxy.cuts > before
