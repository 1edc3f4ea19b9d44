"""Shards split and merge while they are written and mirrored."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from tests.support.checker import check_exact
from tests.support.records import generate, ids_by_key
from tests.support.route import Route, RouteFactory
from tests.support.shards import merge, open_shards, split

KEYS = 2_000


@pytest.mark.parametrize(
    ("records", "shards"),
    [pytest.param(20_000, 2, id="small"), pytest.param(200_000, 4, id="full", marks=pytest.mark.soak)],
)
async def test_every_key_keeps_its_order_through_splits_and_merges(
    route: RouteFactory, seed: int, draw: Random, records: int, shards: int
) -> None:
    """Nothing is missing and nothing doubled; each parent's lane is finished."""
    path = route(shards=shards)
    sent = list(generate(records, KEYS, seed=seed))
    async with path.mirror() as mirror:
        steps: list[Callable[[Route, Random], None]] = [_nothing, _split, _merge, _split, _merge]
        share = len(sent) // len(steps)
        for number, step in enumerate(steps):
            part = sent[number * share : (number + 1) * share if number + 1 < len(steps) else None]
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
