"""Workers that hang for longer than their session, and what they had open when they did."""

import asyncio
import signal
from random import Random

import pytest

from tests.end_to_end.conftest import HarmedKafka
from tests.support.checker import check_exact
from tests.support.crew import Crew, slow_commits
from tests.support.kafka_proxy import Api
from tests.support.mirror_process import MirrorProcess
from tests.support.open_transactions import ENDED, freeze_amid_transaction
from tests.support.records import generate, ids_by_key
from tests.support.resharding import shard_ids
from tests.support.route import RouteFactory
from tests.support.waiting import eventually

pytestmark = pytest.mark.broker

KEYS = 500
# Large enough that reading falls behind writing: a shard gives 2,000 of them a second.
SIZE = 1_000

LOST = "slots lost: the group did not hear of this worker for a session, it joins again"


@pytest.mark.parametrize(
    ("workers", "shards", "freezes", "session"),
    [
        pytest.param(2, 4, 1, "2s", id="small"),
        # As many shards as slots, so that each worker is certain to have some.
        pytest.param(4, 64, 10, "6s", id="full", marks=pytest.mark.long),
    ],
)
async def test_a_worker_that_was_away_for_longer_than_its_session_joins_again(
    route: RouteFactory, seed: int, draw: Random, *, workers: int, shards: int, freezes: int, session: str
) -> None:
    """It says so once each time; every record comes once and every key in order."""
    path = route(shards=shards)
    share = 3_000
    sent = list(generate(share * (freezes + 1), KEYS, seed=seed, size=SIZE))
    everything = shard_ids(path.source)
    async with Crew(path, session) as crew:
        await crew.hire_many(workers)
        away: dict[MirrorProcess, int] = dict.fromkeys(crew.workers, 0)
        for number in range(freezes):
            await crew.until_shared(everything)
            writing = asyncio.create_task(path.write(sent[number * share : (number + 1) * share]))
            await asyncio.sleep(draw.uniform(0, 0.5))  # the moment itself is at random
            victim = draw.choice(crew.workers)
            victim.signal(signal.SIGSTOP)
            away[victim] += 1
            await crew.until_shared(everything, [each for each in crew.workers if each is not victim])
            victim.signal(signal.SIGCONT)
            await writing
            await victim.until_printed(LOST, away[victim])
        await crew.until_shared(everything)
        await path.write(sent[freezes * share :])
        await path.until_committed(len(sent))
        assert set(await crew.stop()) == {0}
        assert {each: each.printed().count(LOST) for each in crew.workers} == away
    await path.until_settled()
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.parametrize(
    ("records", "times"),
    [pytest.param(6_000, 1, id="small"), pytest.param(20_000, 5, id="full", marks=pytest.mark.long)],
)
async def test_what_a_frozen_worker_and_its_successor_left_open_is_never_seen(
    route: RouteFactory, seed: int, records: int, times: int
) -> None:
    """The first hangs with a transaction open, the second is killed in one of its own, and the third mirrors once."""
    sent = list(generate(records, KEYS, seed=seed, size=SIZE))
    for _ in range(times):
        path = route(shards=4)
        shards = shard_ids(path.source)
        async with Crew(path) as crew:
            first = crew.hire(**slow_commits("5s"))
            await crew.until_shared(shards)
            await path.write(sent[: records // 2])
            await freeze_amid_transaction(first, path)
            second = crew.hire(**slow_commits("2s"))
            await crew.until_shared(shards, [second])
            await second.until_printed(ENDED)
            await second.until_written(1)
            await path.write(sent[records // 2 :])
            await freeze_amid_transaction(second, path)
            await second.kill()
            third = crew.hire()
            await crew.until_shared(shards, [third])
            await path.until_committed(len(sent))
            first.signal(signal.SIGCONT)
            await first.until_printed(LOST)
            await crew.until_shared(shards)
            assert await crew.stop() == [0, 0]
        await path.until_settled()
        verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
        assert verdict.ok, verdict


@pytest.mark.parametrize(
    ("records", "times"),
    [pytest.param(4_000, 1, id="small"), pytest.param(20_000, 5, id="full", marks=pytest.mark.long)],
)
@pytest.mark.parametrize(
    "call",
    [
        pytest.param(Api.END_TXN, id="commit"),
        pytest.param(Api.TXN_OFFSET_COMMIT, id="offsets", marks=pytest.mark.long),
    ],
)
async def test_a_call_that_reaches_the_broker_after_its_worker_was_taken_over_has_no_effect(
    harmed_route: RouteFactory, harmed_kafka: HarmedKafka, seed: int, records: int, times: int, call: Api
) -> None:
    """It lay in the network while another took the slots and mirrored what was in the transaction."""
    proxy = harmed_kafka.proxy
    sent = list(generate(records, KEYS, seed=seed, size=SIZE))
    for _ in range(times):
        path = harmed_route()
        shards = shard_ids(path.source)
        async with Crew(path) as crew:
            slow = crew.hire(path.via(kafka=proxy.address))
            await crew.until_shared(shards)
            other = crew.hire()
            await crew.until_shared(shards)
            proxy.stall_at = call
            await path.write(sent)
            await eventually(lambda: not proxy.flows.is_set(), "a call held back")
            await crew.until_shared(shards, [other])
            await path.until_committed(len(sent))
            proxy.resume()
            await slow.until_printed(LOST)
            await crew.until_shared(shards)
            assert await crew.stop() == [0, 0]
        await path.until_settled()
        verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
        assert verdict.ok, verdict
