"""From one stream to another, while both are resharded."""

import asyncio
from pathlib import Path
from random import Random

import pytest

from tests.support.checker import check_exact
from tests.support.ends import StreamEnd
from tests.support.factories import StreamFactory
from tests.support.records import generate, ids_by_key
from tests.support.resharding import merge_two, split_one
from tests.support.way import Way

KEYS = 200
SIZE = 500


@pytest.mark.parametrize(
    ("share", "steps", "codec"),
    [
        pytest.param(2_000, 4, "kpl", id="small"),
        pytest.param(20_000, 12, "kpl", id="full-kpl", marks=pytest.mark.long),
        pytest.param(20_000, 12, "envelope", id="full-envelope", marks=pytest.mark.long),
    ],
)
async def test_keys_keep_their_order_through_reshards_of_both_streams_and_kills(
    kinesis: str,
    stream: StreamFactory,
    tmp_path: Path,
    seed: int,
    draw: Random,
    *,
    share: int,
    steps: int,
    codec: str,
) -> None:
    """Every record once: lineage is followed while reading, and writing does not depend on where its shards are."""
    source, sink = StreamEnd(kinesis, stream(2)), StreamEnd(kinesis, stream(2))
    path = Way(tmp_path, source, sink)
    sent = list(generate(share * steps, KEYS, seed=seed, size=SIZE))
    async with path.mirror({"sink": {"kinesis": {"codec": codec}}}) as mirror:
        for step in range(steps):
            reshard = (split_one, merge_two)[step % 2]
            writing = asyncio.create_task(path.write(sent[step * share : (step + 1) * share]))
            await asyncio.gather(
                asyncio.to_thread(reshard, source, draw),
                asyncio.to_thread(reshard, sink, draw),
                path.until_arrived(step * share + draw.randrange(1, share // 2)),
            )
            await mirror.kill()
            mirror.start()
            await writing
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict
