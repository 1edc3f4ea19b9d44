"""Workers come and go, and share what there is."""

import asyncio
import signal

import pytest

from tests.support.checker import check_exact
from tests.support.crew import Crew
from tests.support.open_transactions import ENDED
from tests.support.records import generate, ids_by_key
from tests.support.resharding import shard_ids
from tests.support.route import RouteFactory
from tests.support.shards import merge, open_shards, split

KEYS = 500
SIZE = 1_000
# A session that outlasts a restart.
LONG = "12s"


@pytest.mark.parametrize(
    ("records", "times"),
    [pytest.param(6_000, 1, id="small"), pytest.param(60_000, 5, id="full", marks=pytest.mark.long)],
)
async def test_two_workers_more_and_two_fewer_share_evenly(
    route: RouteFactory, seed: int, records: int, times: int
) -> None:
    """None has more than twice another's share; every record comes once and every key in order."""
    path = route(shards=64)
    sent = list(generate(records * times, KEYS, seed=seed, size=SIZE))
    shards = shard_ids(path.source)
    async with Crew(path) as crew:
        first = await crew.hire_many(2)
        for number in range(times):
            writing = asyncio.create_task(path.write(sent[number * records : (number + 1) * records]))
            more = await crew.hire_many(2)
            shares = sorted(map(len, await crew.until_shared(shards)))
            assert shares[-1] <= 2 * shares[0], shares
            assert await asyncio.gather(*(worker.stop() for worker in more)) == [0, 0]
            shares = sorted(map(len, await crew.until_shared(shards)))
            assert shares[-1] <= 2 * shares[0], shares
            await writing
        await path.until_committed(len(sent))
        assert [worker.is_running for worker in first] == [True, True]
        assert await crew.stop() == [0, 0]
    await path.until_settled()
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.parametrize(
    ("records", "times"),
    [pytest.param(3_000, 1, id="small"), pytest.param(20_000, 5, id="full", marks=pytest.mark.long)],
)
async def test_a_child_starts_when_its_parents_are_finished_wherever_they_run(
    route: RouteFactory, seed: int, records: int, times: int
) -> None:
    """A split and a merge between shards of different workers: with two slots and two workers, even and odd ones."""
    sent = list(generate(records * 3, KEYS, seed=seed, size=SIZE))
    for _ in range(times):
        path = route(shards=1)
        kept = {"checkpoints": {"sqlite": None, "kafka": {"topic": f"slots-{path.topic}", "slots": 2}}}
        # The mirror begins far behind: parents are long at work when the children are there.
        await path.write(sent[:records])
        (only,) = open_shards(path.kinesis, path.stream)
        await asyncio.to_thread(split, path.kinesis, path.stream, only)
        await path.write(sent[records : 2 * records])
        async with Crew(path, more=kept) as crew:
            await crew.hire_many(2)
            homes = await crew.until_shared({f"shardId-{number:012}" for number in range(3)})
            assert sorted(map(len, homes)) == [1, 2]
            await asyncio.to_thread(merge, path.kinesis, path.stream, *open_shards(path.kinesis, path.stream))
            await path.write(sent[2 * records :])
            await path.until_committed(len(sent))
            assert await crew.stop() == [0, 0]
        await path.until_settled()
        verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
        assert verdict.ok, verdict


@pytest.mark.parametrize("restarts", [pytest.param(1, id="small"), pytest.param(10, id="full", marks=pytest.mark.long)])
@pytest.mark.parametrize(
    "end",
    [pytest.param(signal.SIGKILL, id="killed"), pytest.param(signal.SIGTERM, id="stopped", marks=pytest.mark.long)],
)
async def test_a_named_worker_that_is_back_within_its_session_finds_its_slots(
    route: RouteFactory, seed: int, restarts: int, end: signal.Signals
) -> None:
    """The others hear nothing of it; every record comes once and every key in order."""
    # So many that each worker has some, whichever slots the group's assignor moves.
    path = route(shards=12)
    share = 500
    sent = list(generate(share * (restarts + 1), KEYS, seed=seed))
    shards = shard_ids(path.source)
    async with Crew(path, session=LONG) as crew:
        for name in ("a", "b"):
            crew.hire(workers={"session_timeout": LONG, "instance": name})
        one, other = crew.workers
        mine, theirs = await crew.until_shared(shards)
        heard = other.printed().count("slots")
        for number in range(restarts):
            await path.write(sent[number * share : (number + 1) * share])
            one.signal(end)
            await one.ended()
            one.start()
            assert await crew.until_shared(shards) == [mine, theirs]
        assert other.printed().count("slots") == heard
        # Who comes takes slots over from the one that is back, which is not taken for dead under its new process.
        crew.hire(workers={"session_timeout": LONG, "instance": "c"})
        await crew.until_shared(shards)
        await path.write(sent[restarts * share :])
        await path.until_committed(len(sent))
        assert await crew.stop() == [0, 0, 0]
        assert not any(ENDED in each.printed() for each in crew.workers)
    await path.until_settled()
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
