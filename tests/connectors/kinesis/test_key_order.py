"""Whatever happens to calls and entries, a key's records arrive in order and none is lost."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from connectors.base import Batch, Record
from connectors.codecs.catalogue import CodecName
from tests.connectors.kinesis.fake_writes import RandomHarm, WritableKinesis, lane_of, sink_into
from tests.connectors.kinesis.mover import Mover
from tests.connectors.kinesis.writing import decoded
from tests.contracts.sink import batch, by_key, series
from tests.simulation.virtual_time import VirtualClock, run

_LANES = ("a", "b", "c")
_PATIENCE_S = 3_600


def _lane(lane: str, random: Random) -> list[Batch]:
    """Batches of all sizes, with few keys that come often and many that come once."""
    batches: list[Batch] = []
    first = 0
    keys = random.choice((2, 5, 40, 1_000))
    for _ in range(random.randint(4, 10)):
        count = random.choice((1, 7, 60, 200))
        batches.append(batch(lane, series(lane, count, first), keys=keys, first=first))
        first += count
    return batches


def _records(fake: WritableKinesis) -> list[Record]:
    return decoded("all", [(str(n), e.partition_key, e.data) for n, e in enumerate(fake.entries)])


def _firsts(records: Sequence[Record]) -> dict[bytes | None, list[bytes | None]]:
    return {key: list(dict.fromkeys(values)) for key, values in by_key(records).items()}


def _check(fake: WritableKinesis, lanes: Sequence[Sequence[Batch]]) -> None:
    """Nothing lost, each key in order, and nothing twice but what was written unheard."""
    sent = [record for batches in lanes for each in batches for record in each.records()]
    written = _records(fake)
    assert _firsts(written) == by_key(sent)
    unheard = decoded("all", [(str(n), e.partition_key, e.data) for n, e in enumerate(fake.unheard)])
    allowed = Counter(record.value for record in unheard)
    counts = Counter(record.value for record in written)
    assert {value for value, times in counts.items() if times > 1 + allowed[value]} == set()
    assert fake.most_out == 1


@pytest.mark.parametrize("codec", ["raw", "kpl", "envelope"])
@pytest.mark.parametrize("seed", range(8))
def test_order_is_kept_through_every_fault(codec: CodecName, seed: int) -> None:
    """Failed entries, throttled calls, lost answers: first arrivals are in order, and doubles were written unheard."""

    async def main(clock: VirtualClock) -> None:
        random = Random(seed)
        fake = WritableKinesis(clock, shards=random.randint(1, 4), harm=RandomHarm(random))
        lanes = [_lane(lane, random) for lane in _LANES]
        async with asyncio.timeout(_PATIENCE_S), sink_into(fake, clock, codec, endpoint_url="x") as sink:
            await Mover(sink).run(*lanes)
        _check(fake, lanes)

    run(main)


@pytest.mark.parametrize("codec", ["raw", "kpl"])
@pytest.mark.parametrize("seed", range(8))
def test_order_is_kept_through_breaks_and_withdrawals(codec: CodecName, seed: int) -> None:
    """Lanes that go back submit again what had landed meanwhile, and it is not written again."""

    async def main(clock: VirtualClock) -> None:
        random = Random(seed)
        fake = WritableKinesis(clock, shards=2, harm=RandomHarm(random))
        lanes = [_lane(lane, random) for lane in _LANES]
        async with asyncio.timeout(_PATIENCE_S), sink_into(fake, clock, codec, endpoint_url="x") as sink:
            mover = Mover(sink)

            async def disturb() -> None:
                while True:
                    await clock.sleep(random.uniform(0, 0.3))
                    if random.random() < 0.2:
                        mover.abort()
                    else:
                        mover.withdraw(random.choice(_LANES))

            disturbing = asyncio.ensure_future(disturb())
            try:
                await mover.run(*lanes)
            finally:
                disturbing.cancel()
        _check(fake, lanes)

    run(main)


def test_keys_that_come_back_apart_are_sent_together_again() -> None:
    """A small call waits for company while others are on the wire, so that few keys do not take a call for each."""

    async def main(clock: VirtualClock) -> None:
        fake = WritableKinesis(clock)
        rounds, keys = 50, 40
        halves = [lane_of(rounds * keys, keys=keys, lane=lane) for lane in ("a", "b")]
        async with asyncio.timeout(_PATIENCE_S), sink_into(fake, clock, endpoint_url="x") as sink:
            scope = await sink.begin()
            first = scope.submit("a", halves[0])
            # The keys of the second lane come while those of the first are out.
            await clock.sleep(0.005)
            await asyncio.gather(first, scope.submit("b", halves[1]))
        assert len(fake.puts) < rounds + rounds // 2

    run(main)
