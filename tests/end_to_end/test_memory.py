"""Memory stays bounded, however many shards there are and however much waits in them."""

from pathlib import Path

import pytest

from tests.support.checker import check_exact
from tests.support.factories import RecordProperty
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory

MB = 1_000_000
LIMIT = 300 * MB
RECORD = 1_000

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from Linux's /proc")


@pytest.mark.parametrize(
    ("shards", "waiting"),
    [pytest.param(16, 40 * MB, id="small"), pytest.param(64, 200 * MB, id="full", marks=pytest.mark.soak)],
)
async def test_a_backlog_is_mirrored_in_bounded_memory(
    route: RouteFactory, seed: int, record_property: RecordProperty, shards: int, waiting: int
) -> None:
    """With a budget of 64 MiB the process peaks below 300 MB, and everything arrives."""
    path = route(shards=shards)
    sent = list(generate(waiting // RECORD, 2_000, seed=seed, size=RECORD))
    await path.write(sent)
    async with path.mirror({"limits": {"memory": "64MiB"}}) as mirror:
        await mirror.until_written(len(sent))
        peak = mirror.peak_memory()
        assert await mirror.stop() == 0
    record_property("peak memory", f"{peak / MB:.0f} MB")
    assert peak < LIMIT
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
