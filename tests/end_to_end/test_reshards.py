"""Shards split and merge while they are written and mirrored."""

import asyncio
from random import Random

import pytest

from tests.support.checker import check_exact
from tests.support.records import generate, ids_by_key
from tests.support.route import Route, RouteFactory
from tests.support.shards import merge, open_shards, split

KEYS = 2_000
# Large enough that reading falls behind writing: a shard gives 2,000 of them a second.
SIZE = 1_000


@pytest.mark.parametrize(
    ("records", "shards"),
    [pytest.param(20_000, 2, id="small"), pytest.param(200_000, 4, id="full", marks=pytest.mark.long)],
)
async def test_every_key_keeps_its_order_through_splits_and_merges(
    route: RouteFactory, seed: int, draw: Random, records: int, shards: int
) -> None:
    """Nothing is missing and nothing doubled; each parent's lane is finished.

    The first split is over when the mirror starts, which finds parents and children at once; the others happen under
    its eyes.
    """
    path = route(shards=shards)
    sent = list(generate(records, KEYS, seed=seed, size=SIZE))
    parts = [sent[first : first + len(sent) // 5] for first in range(0, len(sent), len(sent) // 5)]
    for step, part in zip((_nothing, _split), parts[:2], strict=True):
        await asyncio.gather(path.write(part), asyncio.to_thread(step, path, draw))
    async with path.mirror() as mirror:
        for step, part in zip((_merge, _split, _merge), parts[2:], strict=True):
            await asyncio.gather(path.write(part), asyncio.to_thread(step, path, draw))
        await path.until_arrived(len(sent))
        await mirror.until(lambda status: _finished(status["lanes"]) == 6, "the lanes of 6 parents finished")
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


def _nothing(_: Route, __: Random) -> None:
    """The first records find the stream as it was made."""


def _split(path: Route, draw: Random) -> None:
    split(path.kinesis, path.stream, draw.choice(open_shards(path.kinesis, path.stream)))


def _merge(path: Route, draw: Random) -> None:
    """Two neighbours, often those of the last split and often not."""
    shards = open_shards(path.kinesis, path.stream)
    first = draw.randrange(len(shards) - 1)
    merge(path.kinesis, path.stream, shards[first], shards[first + 1])


def _finished(lanes: list[dict[str, object]]) -> int:
    return sum(lane["state"] == "finished" for lane in lanes)
