"""Into a stream whose shards refuse what is above their limits, in the middle of a call."""

import time

import pytest

from tests.support.checker import check_exact
from tests.support.factories import Figure, OwnKinesis
from tests.support.records import generate, ids_by_key
from tests.support.way import IntoKinesis, IntoKinesisFactory

SHARDS = 2
BYTES_PER_S = 1_048_576
RECORDS_PER_S = 1_000


@pytest.mark.parametrize("codec", ["kpl", "envelope"])
@pytest.mark.parametrize(
    "records", [pytest.param(3_000, id="small"), pytest.param(100_000, id="full", marks=pytest.mark.long)]
)
async def test_what_is_more_than_the_shards_take_arrives_in_order(
    into_kinesis: IntoKinesisFactory, own_kinesis: OwnKinesis, seed: int, records: int, codec: str, figure: Figure
) -> None:
    """Nothing is lost and no key swapped, though entries are refused all the time; it is not much slower than allowed.

    The topic has it all before the mirror begins, which is more than three times of what the shards take meanwhile.
    """
    path = into_kinesis(SHARDS, server=own_kinesis(enforce_limits=True).address)
    sent = list(generate(records, keys=50, seed=seed, size=1_000))
    await path.write(sent)
    seconds = await _mirrored(path, len(sent), codec)
    figure("of the busiest shard's limit", f"{await _use(path) / seconds:.0%}")
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.parametrize(
    "records", [pytest.param(2_500, id="small"), pytest.param(40_000, id="full", marks=pytest.mark.long)]
)
async def test_a_single_key_has_all_of_its_shard(
    into_kinesis: IntoKinesisFactory, own_kinesis: OwnKinesis, seed: int, records: int, figure: Figure
) -> None:
    """In order, many records in each entry."""
    path = into_kinesis(SHARDS, server=own_kinesis(enforce_limits=True).address)
    sent = list(generate(records, keys=1, seed=seed, size=1_000))
    payload = sum(len(record.value(0)) for record in sent)
    await path.write(sent)
    seconds = await _mirrored(path, len(sent), "kpl")
    figure("payload", f"{payload / seconds / 1_000:.0f} kB/s, {await _use(path) / seconds:.0%} of the shard's limit")
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


async def _use(path: IntoKinesis) -> float:
    """How many seconds the stream needs, by the limits of its busiest shard, for what it holds."""
    sizes: dict[str, list[int]] = {}
    for entry in await path.sink.entries():
        sizes.setdefault(entry.shard, []).append(entry.size)
    return max(max(sum(each) / BYTES_PER_S, len(each) / RECORDS_PER_S) for each in sizes.values())


async def _mirrored(path: IntoKinesis, records: int, codec: str) -> float:
    """How many seconds it takes to mirror what is in the topic."""
    async with path.mirror({"sink": {"kinesis": {"codec": codec}}}) as mirror:
        began = time.monotonic()
        await mirror.until_written(records, timeout_s=600)
        seconds = time.monotonic() - began
        assert await mirror.stop() == 0
    return seconds
