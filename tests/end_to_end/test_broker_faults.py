"""The broker goes away and comes back, loses acknowledgements, cuts connections: the mirror outlives it all."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from tests.end_to_end.conftest import HarmedKafka
from tests.support.checker import check_exact
from tests.support.kafka import KafkaBroker
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory
from tests.support.waiting import eventually

pytestmark = pytest.mark.broker

KEYS = 500
# Large enough to be in the midst of things: 4 shards give at most 8,000 of them a second.
SIZE = 1_000


@pytest.mark.parametrize(
    ("records", "outage_s"),
    [pytest.param(20_000, 2, id="small"), pytest.param(200_000, 15, id="full", marks=pytest.mark.long)],
)
@pytest.mark.parametrize("end", [KafkaBroker.stop, KafkaBroker.kill], ids=["stopped", "killed"])
async def test_a_broker_that_comes_back_is_written_on(
    harmed_route: RouteFactory,
    harmed_kafka: HarmedKafka,
    seed: int,
    records: int,
    outage_s: float,
    end: Callable[[KafkaBroker], None],
) -> None:
    """By the same process: nothing is missing, nothing doubled, every key in order."""
    path = harmed_route()
    sent = list(generate(records, KEYS, seed=seed, size=SIZE))
    async with path.mirror() as mirror:
        pid = mirror.pid
        writing = asyncio.create_task(path.write(sent))
        await mirror.until_written(records // 4)
        await asyncio.to_thread(end, harmed_kafka.broker)
        await asyncio.sleep(outage_s)  # the outage is what is tested
        await asyncio.to_thread(harmed_kafka.broker.start)
        await writing
        await path.until_arrived(len(sent))
        assert mirror.pid == pid
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.parametrize(
    ("records", "times"),
    [pytest.param(20_000, 6, id="small"), pytest.param(200_000, 60, id="full", marks=pytest.mark.long)],
)
async def test_lost_acknowledgements_and_connections_neither_lose_nor_double(
    harmed_route: RouteFactory, harmed_kafka: HarmedKafka, seed: int, draw: Random, records: int, times: int
) -> None:
    """What the broker already has is not written again, and nothing overtakes."""
    proxy = harmed_kafka.proxy
    path = harmed_route()
    sent = list(generate(records // times * times, KEYS, seed=seed, size=SIZE))
    swallowed, cuts = proxy.swallowed, proxy.cuts
    async with path.via(kafka=proxy.address).mirror() as mirror:
        share = len(sent) // times
        for number in range(times):
            part = sent[number * share : (number + 1) * share]
            if number % 2:
                writing = asyncio.create_task(path.write(part))
                await mirror.until_written(number * share + 1)
                proxy.cut()
            else:
                proxy.to_swallow = draw.choice((1, 1, 2))
                writing = asyncio.create_task(path.write(part))
                await eventually(lambda: proxy.to_swallow == 0, "an acknowledgement lost")
            await writing
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    assert proxy.swallowed - swallowed >= times // 2
    assert proxy.cuts - cuts >= times
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
