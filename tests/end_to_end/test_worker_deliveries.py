"""Several workers whose records are no part of their checkpoints' transactions."""

import asyncio
from random import Random

import pytest

from tests.support.checker import check_folded
from tests.support.crew import Crew
from tests.support.factories import Figure
from tests.support.records import generate, ids_by_key
from tests.support.resharding import shard_ids
from tests.support.route import RouteFactory

KEYS = 500
# Large enough that reading falls behind writing: a shard gives 2,000 of them a second.
SIZE = 1_000
AT_LEAST_ONCE = {"sink": {"kafka": {"delivery": "at_least_once"}}}


@pytest.mark.parametrize(
    ("workers", "shards", "kills", "share"),
    [pytest.param(2, 4, 1, 6_000, id="small"), pytest.param(4, 64, 20, 6_000, id="full", marks=pytest.mark.long)],
)
async def test_at_least_once_a_killed_worker_loses_nothing(
    route: RouteFactory, seed: int, draw: Random, *, workers: int, shards: int, kills: int, share: int, figure: Figure
) -> None:
    """Who takes over sends a stretch again, which folds away."""
    path = route(shards=shards)
    sent = list(generate(share * kills, KEYS, seed=seed, size=SIZE))
    async with Crew(path, more=AT_LEAST_ONCE) as crew:
        await crew.hire_many(workers)
        for number in range(kills):
            await crew.until_shared(shard_ids(path.source))
            writing = asyncio.create_task(path.write(sent[number * share : (number + 1) * share]))
            await path.until_arrived(number * share + draw.randrange(1, share // 2))
            victim = draw.choice(crew.workers)
            await victim.kill()
            victim.start()
            await writing
        await path.until_arrived(len(sent))
        assert set(await crew.stop()) == {0}
    verdict = check_folded(ids_by_key(sent), await path.ids_by_key())
    figure("sent again", verdict.rerun)
    assert verdict.ok, verdict
