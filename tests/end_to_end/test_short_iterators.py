"""Iterators expire while the sink stands still."""

import asyncio

import pytest

from tests.end_to_end.conftest import HarmedKafka
from tests.support.checker import check_exact
from tests.support.factories import OwnKinesis
from tests.support.kinesis_api import create_stream
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory

pytestmark = pytest.mark.broker

STALL_S = 5
# The stream holds several times as much: reading stands still too, with iterators in its hands.
MORE = {"limits": {"memory": "2MiB"}}


@pytest.mark.parametrize(
    "records", [pytest.param(12_000, id="small"), pytest.param(60_000, id="full", marks=pytest.mark.long)]
)
async def test_iterators_that_expire_under_a_stalled_sink_lose_nothing(
    harmed_route: RouteFactory, harmed_kafka: HarmedKafka, own_kinesis: OwnKinesis, seed: int, records: int
) -> None:
    """They live for one second and the broker is frozen for five: nothing is missing, nothing doubled."""
    server = own_kinesis(iterator_ttl_seconds=1)
    path = harmed_route().via(kinesis=server.address)
    create_stream(server.address, path.stream, 4)
    sent = list(generate(records, 500, seed=seed, size=1_000))
    await path.write(sent[: records // 4])
    async with path.mirror(MORE) as mirror:
        await mirror.until_written(records // 4)
        harmed_kafka.broker.freeze()
        await path.write(sent[records // 4 :])
        await mirror.until_behind(1)
        await asyncio.sleep(STALL_S)  # the stall is what is tested
        expired = await mirror.metric("kmbridge_retries_total", reason="iterator")
        harmed_kafka.broker.thaw()
        await mirror.until_written(records // 2)
        assert await mirror.metric("kmbridge_retries_total", reason="iterator") > expired
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
