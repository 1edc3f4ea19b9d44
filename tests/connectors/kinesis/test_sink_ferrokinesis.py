"""The sink against a real Kinesis server: through a proxy that does harm, and within enforced limits."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from connectors.base import Batch
from connectors.codecs.catalogue import CodecName
from tests.connectors.kinesis.mover import Mover
from tests.connectors.kinesis.writing import everything, sink_to
from tests.contracts.sink import batch, by_key, series
from tests.support import shards
from tests.support.factories import OwnKinesis, StreamFactory
from tests.support.kinesis_api import create_stream
from tests.support.kinesis_proxy import Call, Fault, KinesisProxy

_FAULTS = (Fault.THROTTLED, Fault.FAILED, Fault.CUT, Fault.CUT_ANSWER, Fault.SWALLOWED, Fault.FAILED_AFTER)


def _lanes(count: int, size: int) -> list[list[Batch]]:
    return [
        [batch(lane, series(lane, size, first), keys=20, first=first) for first in range(0, count, size)]
        for lane in ("a", "b")
    ]


def _sent(lanes: Sequence[Sequence[Batch]]) -> dict[bytes | None, list[bytes | None]]:
    return by_key([record for batches in lanes for each in batches for record in each.records()])


@pytest.mark.parametrize("codec", ["kpl", "envelope"])
async def test_order_is_kept_through_a_proxy_that_does_harm(
    kinesis: str, stream: StreamFactory, codec: CodecName
) -> None:
    """Failed entries, throttled calls, 500s, cut connections: nothing lost or swapped, only lost answers double."""
    name = stream(shards=2)
    random = Random(1)
    lanes = _lanes(2_000, 100)

    def judge(call: Call) -> Fault | None:
        return random.choice(_FAULTS) if call.operation == "PutRecords" and random.random() < 0.3 else None

    def judge_entry(_: str) -> str | None:
        return "InternalFailure" if random.random() < 0.05 else None

    with KinesisProxy(kinesis) as proxy:
        async with sink_to(proxy.address, name, codec) as sink:
            proxy.judge, proxy.judge_entry = judge, judge_entry
            await Mover(sink).run(*lanes)
        unheard = {key for key, _ in proxy.swallowed}
    written = await everything(kinesis, name)
    assert {key: list(dict.fromkeys(values)) for key, values in by_key(written).items()} == _sent(lanes)
    counts = Counter((record.key or b"", record.value) for record in written)
    assert {key.decode() for (key, _), times in counts.items() if times > 1} <= unheard


@pytest.mark.parametrize(("codec", "keys"), [("raw", 50), ("kpl", 50), ("kpl", 1)])
async def test_order_is_kept_where_limits_are_enforced(own_kinesis: OwnKinesis, codec: CodecName, keys: int) -> None:
    """Entries are refused in the middle of calls: nothing is lost, and each key stays in order."""
    url = own_kinesis(enforce_limits=True).address
    create_stream(url, "limited", 1)
    filler = bytes(1_000)
    values = [b"%d/" % number + filler for number in range(5_000)]
    lane = [batch("lane", values[first : first + 250], keys=keys, first=first) for first in range(0, 5_000, 250)]
    async with sink_to(url, "limited", codec) as sink:
        await Mover(sink).run(lane)
    assert by_key(await everything(url, "limited")) == _sent([lane])


async def test_a_reshard_of_the_target_keeps_every_key_in_order(kinesis: str, stream: StreamFactory) -> None:
    """Split while being written to: all arrive, parents' records before children's."""
    name = stream(shards=1)
    lanes = _lanes(6_000, 100)
    async with sink_to(kinesis, name) as sink:
        moving = asyncio.ensure_future(Mover(sink).run(*lanes))
        (shard,) = await asyncio.to_thread(shards.open_shards, kinesis, name)
        await asyncio.to_thread(shards.split, kinesis, name, shard)
        await moving
    assert by_key(await everything(kinesis, name)) == _sent(lanes)
