"""A mirror that starts with what comes from now on."""

import time

import pytest

from tests.support.checker import check_exact
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory
from tests.support.waiting import eventually

SHARDS = 4
LATEST = {"source": {"kinesis": {"start": "latest"}}}


@pytest.mark.parametrize(
    ("records", "kills"),
    [pytest.param(2_000, 0, id="small"), pytest.param(50_000, 10, id="full", marks=pytest.mark.long)],
)
async def test_from_now_on_stays_the_same_now_after_a_kill(
    route: RouteFactory, seed: int, records: int, kills: int
) -> None:
    """Killed before its first record, it gets all that was written meanwhile, and nothing of before."""
    path = route(shards=SHARDS)
    old, new = list(generate(500, 50, seed=seed)), list(generate(records, 50, seed=seed + 1))
    await path.write(old)
    written = time.monotonic()
    # Servers may tell arrival and time in whole seconds: what is older than two is older by any clock.
    await eventually(lambda: time.monotonic() > written + 2.1, "the old records are old")
    async with path.mirror(LATEST) as mirror:
        await mirror.until_checkpointed(lambda stored: len(stored) == SHARDS, "the start is stored")
        for _ in range(kills):
            await mirror.kill()
            mirror.start()
            await mirror.ready()
        await mirror.kill()
        await path.write(new)
        mirror.start()
        await mirror.ready()
        await path.until_arrived(records)
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(new), await path.ids_by_key())
    assert verdict.ok, verdict
