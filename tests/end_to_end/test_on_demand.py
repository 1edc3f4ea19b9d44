"""A stream that changes its shards by itself, as one on demand does: nobody tells the mirror."""

import asyncio
from random import Random

import pytest

from tests.support.checker import check_exact
from tests.support.ends import StreamEnd
from tests.support.factories import Figure
from tests.support.records import TestRecord, generate, ids_by_key
from tests.support.resharding import merge_two, shard_ids, split_one
from tests.support.route import RouteFactory

KEYS = 1_000
MOST = 12
"""Open shards: more are merged again."""
PAUSE_S = 0.4


@pytest.mark.parametrize("read", ["polling", "fan_out"])
@pytest.mark.parametrize(
    ("changes", "records"),
    [pytest.param(4, 3_000, id="small"), pytest.param(50, 100_000, id="full", marks=pytest.mark.long)],
)
async def test_splits_and_merges_that_nobody_announces_are_followed(
    route: RouteFactory, seed: int, draw: Random, figure: Figure, *, read: str, changes: int, records: int
) -> None:
    """At moments of their own, while records keep coming: every key in order, nothing missing, nothing doubled."""
    path = route(shards=2)
    sent = list(generate(records, KEYS, seed=seed))
    async with path.mirror({"source": {"kinesis": {"read": read}}}) as mirror:
        await asyncio.gather(_written(path.source, sent, changes), _changed(path.source, draw, changes))
        await path.until_arrived(len(sent), timeout_s=300)
        await mirror.until(lambda status: _finished(status["lanes"]) >= changes, "the lanes of parents finished", 120)
        assert await mirror.stop() == 0
    figure("open shards at the end", len(shard_ids(path.source)))
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


async def _written(end: StreamEnd, sent: list[TestRecord], parts: int) -> None:
    share = len(sent) // parts + 1
    for first in range(0, len(sent), share):
        await end.write(sent[first : first + share])
        await asyncio.sleep(PAUSE_S)  # records keep coming


async def _changed(end: StreamEnd, draw: Random, changes: int) -> None:
    for _ in range(changes):
        count = len(await asyncio.to_thread(shard_ids, end))
        merges = count > 1 and (count >= MOST or draw.random() < 0.4)
        await asyncio.to_thread(merge_two if merges else split_one, end, draw)
        await asyncio.sleep(draw.uniform(0, 2 * PAUSE_S))  # the moment itself is at random


def _finished(lanes: list[dict[str, object]]) -> int:
    return sum(lane["state"] == "finished" for lane in lanes)
