"""Workers of a mirror from Kafka into Kinesis join, leave, die and hang, while others go on."""

import signal
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from tests.support.checker import check_exact
from tests.support.crew import Crew
from tests.support.group_lag import until_caught_up
from tests.support.mirror_process import MirrorProcess
from tests.support.records import generate, ids_by_key
from tests.support.way import IntoKinesisFactory

PARTITIONS = 4
EVERYTHING = [str(number) for number in range(PARTITIONS)]
KEYS = 50
SIZE = 500

Change = Callable[[Crew, MirrorProcess], Awaitable[object]]


async def _joins(crew: Crew, _: MirrorProcess) -> None:
    crew.hire()


async def _leaves(_: Crew, worker: MirrorProcess) -> None:
    assert await worker.stop() == 0


async def _dies(_: Crew, worker: MirrorProcess) -> None:
    await worker.kill()


async def _hangs(crew: Crew, worker: MirrorProcess) -> None:
    """For longer than its session: until others have its partitions."""
    worker.signal(signal.SIGSTOP)
    await crew.until_shared(EVERYTHING, [each for each in crew.workers if each.is_running and each is not worker])
    worker.signal(signal.SIGCONT)


CHANGES: dict[str, Change] = {"joins": _joins, "leaves": _leaves, "dies": _dies, "hangs": _hangs}


@pytest.mark.parametrize(
    ("changes", "share", "session"),
    [
        pytest.param(("joins", "hangs", "leaves"), 1_500, "2s", id="small"),
        pytest.param(
            ("joins", "joins", "hangs", "dies", "joins", "leaves") * 4, 6_000, "6s", id="full", marks=pytest.mark.long
        ),
    ],
)
async def test_every_record_comes_once_through_changes_of_the_group(
    into_kinesis: IntoKinesisFactory, seed: int, draw: Random, changes: tuple[str, ...], share: int, session: str
) -> None:
    """Each key in its order, and in the end Kafka's own tools see that the group has no lag."""
    path = into_kinesis(shards=2, partitions=PARTITIONS)
    sent = list(generate(share * (len(changes) + 1), KEYS, seed=seed, size=SIZE))
    async with Crew(path, session) as crew:
        await crew.hire_many(1)
        for number, change in enumerate(changes):
            await crew.until_shared(EVERYTHING)
            await path.write(sent[number * share : (number + 1) * share])
            await path.until_arrived(number * share + draw.randrange(1, share // 2))
            await CHANGES[change](crew, draw.choice([each for each in crew.workers if each.is_running]))
        await crew.until_shared(EVERYTHING)
        await path.write(sent[len(changes) * share :])
        await path.until_arrived(len(sent))
        await until_caught_up(path.source.address, f"kmbridge-{path.sink.name}", path.source.name)
        assert set(await crew.stop()) == {0}
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
