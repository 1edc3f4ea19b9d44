"""A good guest: what a shard allows is kept, and who is throttled draws back."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.support.checker import check_exact
from tests.support.factories import Figure
from tests.support.kinesis_proxy import Call, Fault, KinesisProxy, Read, most_reads
from tests.support.records import generate, ids_by_key
from tests.support.route import RouteFactory
from tests.support.waiting import eventually

MIB = 1024 * 1024
READS_PER_S = 5
# A read may be stamped late when the machine is busy, and then seems nearer to the next ones than it was.
LATE_S = 0.1
PASSING = (Fault.THROTTLED, Fault.FAILED, Fault.CUT, Fault.CUT_ANSWER)


@pytest.mark.parametrize(
    ("records", "shards"),
    [pytest.param(18_000, 2, id="small"), pytest.param(200_000, 4, id="full", marks=pytest.mark.long)],
)
async def test_a_shard_is_read_within_its_limits(
    route: RouteFactory, proxy: KinesisProxy, seed: int, figure: Figure, records: int, shards: int
) -> None:
    """Behind and at the tip: five reads in a second and 2 MiB a second, with the configuration as it comes."""
    path = route(shards=shards).via(kinesis=proxy.address)
    sent = list(generate(records, 2_000, seed=seed, size=1_000))
    await path.write(sent)
    async with path.mirror() as mirror:
        await path.until_arrived(len(sent))
        caught_up = {shard: len(reads) for shard, reads in proxy.reads.items()}
        # One key is written record by record: a trickle, of which every read finds a little. Then the shards rest.
        await path.write(generate(600, 1, seed=seed))
        await eventually(lambda: all(len(proxy.reads[s]) > n + 5 for s, n in caught_up.items()), "reads at the tip")
        assert await mirror.stop() == 0
    for shard, reads in proxy.reads.items():
        rate = _bytes_per_s(reads)
        figure(shard, f"{most_reads(reads, 1)} reads in a second, {rate / MIB:.2f} MiB/s")
        assert most_reads(reads, 1 - LATE_S) <= READS_PER_S
        assert len(reads) <= READS_PER_S * (reads[-1].at - reads[0].at) + 1
        assert rate <= 2 * MIB


@pytest.mark.parametrize(
    ("shards", "siege_s"), [pytest.param(4, 4, id="small"), pytest.param(16, 20, id="full", marks=pytest.mark.long)]
)
async def test_throttled_reads_draw_back(
    route: RouteFactory, proxy: KinesisProxy, seed: int, shards: int, siege_s: float
) -> None:
    """Less and less often while it lasts; afterwards nothing is missing, and the metric tells of it."""
    path = route(shards=shards).via(kinesis=proxy.address)
    sent = list(generate(5_000, 500, seed=seed))
    async with path.mirror() as mirror:
        await eventually(lambda: len(proxy.reads) == shards, "every shard read")
        began = time.monotonic()
        proxy.judge = _throttled_reads
        await path.write(sent)
        await eventually(lambda: time.monotonic() > began + siege_s, "the end of the throttling", siege_s + 5)
        proxy.judge = lambda _: None
        ended = time.monotonic()
        await path.until_arrived(len(sent))
        throttled = await mirror.metric("kmbridge_throttled_total", operation="GetRecords")
        assert await mirror.stop() == 0
    refused = [read for reads in proxy.reads.values() for read in reads if read.fault is Fault.THROTTLED]
    assert throttled == len(refused)
    at_first = sum(read.at < began + 1.5 for read in refused)
    at_last = sum(read.at > ended - 1.5 for read in refused)
    assert at_last < at_first
    assert len(refused) <= shards * READS_PER_S * siege_s / 2
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.parametrize(
    ("records", "share"),
    [pytest.param(10_000, 5, id="small"), pytest.param(100_000, 5, id="full", marks=pytest.mark.long)],
)
async def test_failed_and_cut_reads_are_made_good(
    route: RouteFactory, proxy: KinesisProxy, seed: int, records: int, share: int
) -> None:
    """Every fifth call comes to harm, in turns of every kind, and all calls are slow: nothing is lost or doubled."""
    path = route().via(kinesis=proxy.address)
    sent = list(generate(records, 500, seed=seed))
    async with path.mirror() as mirror:
        proxy.delay_s = 0.02
        faults = _in_turns(share)
        proxy.judge = lambda call: next(faults) if call.operation in ("GetRecords", "GetShardIterator") else None
        await asyncio.gather(path.write(sent), path.until_arrived(len(sent)))
        # Shards without news are asked again and again: sooner or later a read has met each kind.
        await eventually(lambda: _faults(proxy) >= set(PASSING), "every kind of harm")
        proxy.judge = lambda _: None
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


def _faults(proxy: KinesisProxy) -> set[Fault | None]:
    return {read.fault for reads in proxy.reads.values() for read in reads}


def _bytes_per_s(reads: list[Read]) -> float:
    """Over the time in which there was something to read. The last read's bytes are paid by the wait behind it."""
    full = [read for read in reads if read.size]
    return sum(read.size for read in full[:-1]) / (full[-1].at - full[0].at)


def _throttled_reads(call: Call) -> Fault | None:
    return Fault.THROTTLED if call.operation == "GetRecords" else None


def _in_turns(share: int) -> Iterator[Fault | None]:
    while True:
        for fault in PASSING:
            yield from [None] * (share - 1)
            yield fault
