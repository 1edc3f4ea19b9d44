"""The broker goes away, loses answers and connections, while several workers share its transactions."""

import asyncio
from random import Random

import pytest

from tests.end_to_end.conftest import HarmedKafka
from tests.support.checker import check_exact
from tests.support.crew import Crew
from tests.support.kafka_proxy import Api
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory
from tests.support.waiting import eventually

pytestmark = pytest.mark.broker

KEYS = 500
# Large enough to be in the midst of things: 4 shards give at most 8,000 of them a second.
SIZE = 1_000


@pytest.mark.parametrize(
    ("workers", "times", "share", "session"),
    [
        pytest.param(2, 1, 600, "2s", id="small"),
        pytest.param(4, 8, 4_000, "6s", id="full", marks=pytest.mark.long),
    ],
)
async def test_lost_answers_of_any_kind_and_connections_neither_lose_nor_double(
    harmed_route: RouteFactory,
    harmed_kafka: HarmedKafka,
    seed: int,
    draw: Random,
    *,
    workers: int,
    times: int,
    share: int,
    session: str,
) -> None:
    """The broker did what it was asked to, and the worker does not know: what is asked again takes effect once."""
    proxy, path = harmed_kafka.proxy, harmed_route()
    faults = [*Api, None] * times
    sent = list(generate(share * len(faults), KEYS, seed=seed, size=SIZE))
    async with Crew(path.via(kafka=proxy.address), session) as crew:
        await crew.hire_many(workers)
        for number, api in enumerate(faults):
            part = sent[number * share : (number + 1) * share]
            if api is None:
                writing = asyncio.create_task(path.write(part))
                await path.until_arrived(number * share + 1)
                proxy.cut()
            else:
                proxy.swallows_of = (api,)
                proxy.to_swallow = draw.choice((1, 1, 2))
                writing = asyncio.create_task(path.write(part))
                await eventually(lambda: proxy.to_swallow == 0, f"an answer to {api.name} lost")
            await writing
        await path.until_committed(len(sent))
        assert set(await crew.stop()) == {0}
    await path.until_settled()
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.parametrize(
    ("workers", "records", "outage_s", "session"),
    [
        pytest.param(2, 6_000, 1, "2s", id="small"),
        pytest.param(4, 200_000, 15, "6s", id="full", marks=pytest.mark.long),
    ],
)
async def test_workers_outlive_a_broker_that_is_killed(
    harmed_route: RouteFactory,
    harmed_kafka: HarmedKafka,
    seed: int,
    *,
    workers: int,
    records: int,
    outage_s: float,
    session: str,
) -> None:
    """The same processes go on when it is back: every record once and every key in order."""
    path = harmed_route()
    sent = list(generate(records, KEYS, seed=seed, size=SIZE))
    async with Crew(path, session) as crew:
        await crew.hire_many(workers)
        writing = asyncio.create_task(path.write(sent))
        await path.until_arrived(records // 4)
        await asyncio.to_thread(harmed_kafka.broker.kill)
        await asyncio.sleep(outage_s)  # the outage is what is tested
        await asyncio.to_thread(harmed_kafka.broker.start)
        await writing
        await path.until_committed(len(sent))
        assert await crew.stop() == [0] * workers
    await path.until_settled()
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
