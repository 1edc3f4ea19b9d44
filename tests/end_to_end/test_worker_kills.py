"""Workers of one mirror are killed, one after the other, while others go on."""

import asyncio
import time
from random import Random

import pytest

from tests.support.checker import check_exact
from tests.support.crew import Crew, slow_commits
from tests.support.factories import Figure
from tests.support.open_transactions import ENDED, freeze_amid_transaction
from tests.support.records import generate, ids_by_key
from tests.support.resharding import merge_two, shard_ids, split_one
from tests.support.route import RouteFactory

KEYS = 500
# Large enough that reading falls behind writing: a shard gives 2,000 of them a second.
SIZE = 1_000


@pytest.mark.parametrize(
    ("workers", "kills", "every_s", "share", "session"),
    [
        pytest.param(3, 4, 1.5, 3_000, "2s", id="small"),
        pytest.param(4, 40, 3, 3_000, "6s", id="full", marks=pytest.mark.long),
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
            resharding = asyncio.create_task(asyncio.to_thread((split_one, merge_two)[number % 2], path.source, draw))
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


async def test_who_takes_over_ends_what_a_dead_worker_left_open(route: RouteFactory, seed: int, figure: Figure) -> None:
    """Readers do not wait until the broker gives the transaction up."""
    path = route(shards=4)
    sent = list(generate(2_000, KEYS, seed=seed, size=SIZE))
    async with Crew(path) as crew:
        first = crew.hire(**slow_commits("5s"))
        await crew.until_shared(shard_ids(path.source))
        await path.write(sent)
        await freeze_amid_transaction(first, path)
        await first.kill()
        began = time.monotonic()
        successor = crew.hire()
        await successor.until_printed(ENDED)
        await path.until_settled()
        figure("readers waited", f"{time.monotonic() - began:.1f} s")
        await path.until_committed(len(sent))
        assert await crew.stop() == [0]
    await path.until_settled()
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


async def test_a_named_worker_ends_what_its_last_life_left_open(route: RouteFactory, seed: int, figure: Figure) -> None:
    """It is back within its session, and the group never knew that it was away."""
    path = route(shards=4)
    sent = list(generate(2_000, KEYS, seed=seed, size=SIZE))
    slow_and_named = {**slow_commits("2s"), "workers": {"session_timeout": "12s", "instance": "one"}}
    async with Crew(path) as crew:
        worker = crew.hire(**slow_and_named)
        await crew.until_shared(shard_ids(path.source))
        await path.write(sent)
        await freeze_amid_transaction(worker, path)
        await worker.kill()
        began = time.monotonic()
        worker.start()
        await path.until_committed(len(sent))
        figure("readers waited", f"{time.monotonic() - began:.1f} s, 2 s of them for the next commit")
        assert await crew.stop() == [0]
    await path.until_settled()
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
