"""Mirrors into Kinesis are killed at any moment, and read back what had reached the stream."""

import asyncio
from random import Random

import pytest

from tests.support.checker import check_exact
from tests.support.crew import Crew
from tests.support.factories import Figure
from tests.support.kinesis_proxy import Call, Fault, KinesisProxy
from tests.support.records import generate, ids_by_key
from tests.support.way import IntoKinesisFactory

KEYS = 50
SIZE = 500
PARTITIONS = 4
NO_READ_BACK = "cannot read back what had been written: some records may come twice"


@pytest.mark.parametrize(
    ("share", "kills", "codec"),
    [
        pytest.param(2_000, 3, "kpl", id="small"),
        pytest.param(20_000, 20, "kpl", id="full-kpl", marks=pytest.mark.long),
        pytest.param(10_000, 20, "envelope", id="full-envelope", marks=pytest.mark.long),
    ],
)
async def test_a_killed_mirror_doubles_nothing(
    into_kinesis: IntoKinesisFactory, seed: int, draw: Random, *, share: int, kills: int, codec: str
) -> None:
    """Every record once, each key in its order: the next life skips exactly what it finds in the stream."""
    path = into_kinesis(partitions=PARTITIONS)
    sent = list(generate(share * (kills + 1), KEYS, seed=seed, size=SIZE))
    async with path.mirror({"sink": {"kinesis": {"codec": codec}}}) as mirror:
        for number in range(kills):
            writing = asyncio.create_task(path.write(sent[number * share : (number + 1) * share]))
            await path.until_arrived(number * share + draw.randrange(1, share // 2))
            await asyncio.sleep(draw.uniform(0, 0.3))  # the moment itself is at random
            await mirror.kill()
            await writing
            mirror.start()
        await path.write(sent[kills * share :])
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.parametrize(
    ("share", "kills", "workers", "session"),
    [
        pytest.param(2_000, 2, 2, "2s", id="small"),
        pytest.param(10_000, 20, 4, "6s", id="full", marks=pytest.mark.long),
    ],
)
async def test_killed_workers_of_a_group_double_nothing(
    into_kinesis: IntoKinesisFactory,
    seed: int,
    draw: Random,
    *,
    share: int,
    kills: int,
    workers: int,
    session: str,
) -> None:
    """Others take over what the dead had, or the dead come back: every record once, each key in its order."""
    path = into_kinesis(partitions=PARTITIONS)
    partitions = [str(number) for number in range(PARTITIONS)]
    sent = list(generate(share * kills, KEYS, seed=seed, size=SIZE))
    async with Crew(path, session) as crew:
        await crew.hire_many(workers)
        for number in range(kills):
            await crew.until_shared(partitions)
            writing = asyncio.create_task(path.write(sent[number * share : (number + 1) * share]))
            await path.until_arrived(number * share + draw.randrange(1, share // 2))
            victim = draw.choice(crew.workers)
            await victim.kill()
            victim.start()
            await writing
        await path.until_arrived(len(sent))
        assert set(await crew.stop()) == {0}
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


async def test_a_mirror_that_may_not_read_back_says_so(
    into_kinesis: IntoKinesisFactory, kinesis: str, seed: int, figure: Figure
) -> None:
    """It goes on: nothing is lost and first copies are in order, though a stretch may come twice."""
    path = into_kinesis(partitions=PARTITIONS)
    share = 3_000
    sent = list(generate(2 * share, KEYS, seed=seed, size=SIZE))
    with KinesisProxy(kinesis) as proxy:
        proxy.judge = _denied
        behind = path.through(sink=path.sink.at(proxy.address))
        async with behind.mirror({"checkpoint_interval": "30s", "checkpoints": "auto"}) as mirror:
            await path.write(sent[:share])
            await path.until_arrived(share)
            await mirror.kill()
            mirror.start()
            await mirror.until_printed(NO_READ_BACK)
            await path.write(sent[share:])
            await path.until_arrived(len(sent))
            assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    figure("doubled", verdict.arrived - len(sent))
    assert (verdict.missing, verdict.unexpected, verdict.disordered) == ((), (), ()), verdict
    assert verdict.arrived > len(sent)


def _denied(call: Call) -> Fault | None:
    return Fault.DENIED if call.operation in ("GetShardIterator", "GetRecords") else None
