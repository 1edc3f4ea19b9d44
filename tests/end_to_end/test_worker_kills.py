"""Workers of one mirror are killed, one after the other, while others go on."""

import asyncio
from random import Random

import pytest

from tests.support.checker import check_exact
from tests.support.crew import Crew
from tests.support.records import generate, ids_by_key
from tests.support.resharding import merge_two, split_one
from tests.support.route import RouteFactory

KEYS = 500
# Large enough that reading falls behind writing: a shard gives 2,000 of them a second.
SIZE = 1_000


@pytest.mark.parametrize(
    ("workers", "kills", "every_s", "share", "session"),
    [
        pytest.param(3, 4, 1.5, 3_000, "2s", id="small"),
        pytest.param(4, 40, 3, 3_000, "6s", id="full", marks=pytest.mark.soak),
    ],
)
async def test_workers_that_are_killed_neither_lose_nor_double(
    route: RouteFactory,
    seed: int,
    draw: Random,
    *,
    workers: int,
    kills: int,
    every_s: float,
    share: int,
    session: str,
) -> None:
    """Every record once and every key in order, while shards split and merge."""
    path = route(shards=4)
    sent = list(generate(share * kills, KEYS, seed=seed, size=SIZE))
    async with Crew(path, session) as crew:
        await crew.hire_many(workers)
        for number in range(kills):
            part = sent[number * share : (number + 1) * share]
            writing = asyncio.create_task(path.write(part))
            resharding = asyncio.create_task(asyncio.to_thread((split_one, merge_two)[number % 2], path, draw))
            await asyncio.sleep(every_s * draw.uniform(0.5, 1.5))  # the moment itself is at random
            victim = draw.choice(crew.workers)
            await victim.kill()
            victim.start()
            await asyncio.gather(writing, resharding)
        await path.until_committed(len(sent))
        assert set(await crew.stop()) == {0}
    await path.until_settled()
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
