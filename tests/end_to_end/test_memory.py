"""Memory stays bounded, however many shards there are and however much waits in them."""

import asyncio
from pathlib import Path

import pytest

from tests.end_to_end.conftest import HarmedKafka
from tests.support.checker import check_exact
from tests.support.factories import Figure
from tests.support.mirror_process import MirrorProcess
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory

MB = 1_000_000
MIB = 1024 * 1024
LIMIT = 300 * MB
RECORD = 1_000

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc"),
]


@pytest.mark.parametrize(
    ("shards", "waiting", "budget"),
    [
        pytest.param(16, 24 * MB, 16 * MIB, id="small"),
        pytest.param(64, 200 * MB, 64 * MIB, id="full", marks=pytest.mark.long),
    ],
)
async def test_a_backlog_is_mirrored_in_bounded_memory(
    harmed_route: RouteFactory,
    harmed_kafka: HarmedKafka,
    seed: int,
    figure: Figure,
    shards: int,
    waiting: int,
    budget: int,
) -> None:
    """The process peaks below 300 MB though the sink stands still at first: reading then stops at the budget."""
    path, proxy = harmed_route(shards=shards), harmed_kafka.proxy
    sent = list(generate(waiting // RECORD, 2_000, seed=seed, size=RECORD))
    await path.write(sent)
    async with path.via(kafka=proxy.address).mirror({"limits": {"memory": budget}}) as mirror:
        proxy.stall()
        await mirror.until_behind(1)
        standing = await _until_reading_stands(mirror)
        buffered = await mirror.metric("kmbridge_buffered_bytes")
        proxy.resume()
        await mirror.until_written(len(sent), 180)
        peak = mirror.peak_memory()
        assert await mirror.stop() == 0
    figure("peak memory", f"{peak / MB:.0f} MB, {buffered / MIB:.0f} MiB buffered of {budget // MIB} while stalled")
    assert peak < LIMIT
    assert buffered <= budget
    assert standing < len(sent)
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


async def _until_reading_stands(mirror: MirrorProcess) -> float:
    """How many records are read once that number does not change for a second."""
    async with asyncio.timeout(60):
        before = -1.0
        while (read := await mirror.metric("kmbridge_records_read_total")) != before:
            before = read
            await asyncio.sleep(1)
    return read
