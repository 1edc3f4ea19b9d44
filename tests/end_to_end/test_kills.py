"""The mirror is killed at any moment and started again."""

import asyncio
from random import Random

import pytest

from tests.end_to_end.conftest import HarmedKafka
from tests.support.checker import check_folded
from tests.support.factories import Figure
from tests.support.kafka_reader import ids_by_key
from tests.support.lives import Death, sent_again
from tests.support.records import generate
from tests.support.records import ids_by_key as sent_ids_by_key
from tests.support.route import RouteFactory
from tests.support.topic_tail import topic_ends

pytestmark = pytest.mark.broker

KEYS = 500
LAST = 10
CHECKPOINT_S = 0.5
# Large enough that every life is killed at work: 4 shards give at most 8,000 of them a second.
SIZE = 1_000


@pytest.mark.parametrize(
    ("read", "records", "kills"),
    [
        pytest.param("polling", 20_000, 3, id="small"),
        pytest.param("polling", 200_000, 20, id="full", marks=pytest.mark.long),
        pytest.param("fan_out", 12_000, 2, id="small-fan_out"),
        pytest.param("fan_out", 100_000, 20, id="full-fan_out", marks=pytest.mark.long),
    ],
)
async def test_a_killed_mirror_goes_on_where_its_checkpoints_stand(
    harmed_route: RouteFactory,
    harmed_kafka: HarmedKafka,
    seed: int,
    draw: Random,
    *,
    read: str,
    records: int,
    kills: int,
    figure: Figure,
) -> None:
    """Nothing is missing, a re-run suffix folds away, and a life sends nothing from before its first checkpoint.

    Every other life dies with records on their way that never arrive, and after its checkpoints had time to follow.
    """
    path, proxy = harmed_route(), harmed_kafka.proxy
    sent = list(generate(records, KEYS, seed=seed, size=SIZE))
    deaths: list[Death] = []
    async with path.via(kafka=proxy.address).mirror({"source": {"kinesis": {"read": read}}}) as mirror:
        share = len(sent) // (kills + 1)
        for number in range(kills):
            part = sent[number * share : (number + 1) * share]
            writing = asyncio.create_task(path.write(part[:-LAST]))
            await mirror.until_written(draw.randrange(1, share // 2))
            await asyncio.sleep(draw.uniform(0, 0.3))  # the moment itself is at random
            if number % 2 == 0:
                proxy.stall()
                # All that came before may have gone through by now.
                await writing
                await path.write(part[-LAST:])
                await mirror.until_behind(1)
                await asyncio.sleep(CHECKPOINT_S * 2)  # what it must not store by then
            await mirror.kill()
            proxy.cut()
            proxy.resume()
            deaths.append(Death(await mirror.checkpoints(), await topic_ends(path.kafka, path.topic)))
            await writing
            if number % 2:
                await path.write(part[-LAST:])
            mirror.start()
        await path.write(sent[kills * share :])
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    arrived = await path.records()
    verdict = check_folded(sent_ids_by_key(sent), ids_by_key(arrived))
    figure("sent again", verdict.rerun)
    assert verdict.ok, verdict
    assert sent_again(arrived, deaths) == []
