"""What befalls PutRecords: entries fail one by one, calls fail, hang, or take effect without an answer."""

from pathlib import Path
from random import Random

import pytest

from tests.support.checker import check_exact
from tests.support.ends import TopicEnd
from tests.support.factories import Figure, OwnKinesis, TopicFactory
from tests.support.kinesis_proxy import Call, Fault, Judge, KinesisProxy
from tests.support.records import generate, ids_by_key
from tests.support.route import Route
from tests.support.stream_decoder import decode
from tests.support.way import IntoKinesis, IntoKinesisFactory

HARMLESS = (Fault.THROTTLED, Fault.FAILED, Fault.CUT)
SWALLOWED = (Fault.CUT_ANSWER, Fault.FAILED_AFTER)
FAILING_ENTRIES = 0.1


@pytest.mark.parametrize("codec", ["kpl", "envelope"])
@pytest.mark.parametrize(
    ("records", "share"),
    [pytest.param(1_500, 0.3, id="small"), pytest.param(100_000, 0.3, id="full", marks=pytest.mark.long)],
)
async def test_calls_and_entries_that_fail_cost_nothing_but_time(
    into_kinesis: IntoKinesisFactory, kinesis: str, seed: int, draw: Random, *, records: int, share: float, codec: str
) -> None:
    """Every record once, each key in order, though entries in the middle of calls fail and are repeated."""
    path = into_kinesis(shards=4)
    sent = list(generate(records, keys=50, seed=seed, size=500))
    await path.write(sent)
    with KinesisProxy(kinesis) as proxy:
        proxy.judge = _judge(draw, HARMLESS, share)
        proxy.judge_entry = lambda _: "InternalFailure" if draw.random() < FAILING_ENTRIES else None
        proxy.delay_s = 0.02
        await _mirrored(path, proxy, len(sent), codec)
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    assert verdict.ok, verdict


@pytest.mark.parametrize("codec", ["kpl", "envelope"])
@pytest.mark.parametrize(
    ("records", "share"),
    [pytest.param(1_500, 0.2, id="small"), pytest.param(100_000, 0.2, id="full", marks=pytest.mark.long)],
)
async def test_swallowed_answers_are_the_only_doubles_and_later_mirrors_drop_them(
    into_kinesis: IntoKinesisFactory,
    own_kinesis: OwnKinesis,
    topic: TopicFactory,
    tmp_path: Path,
    seed: int,
    draw: Random,
    figure: Figure,
    *,
    records: int,
    share: float,
    codec: str,
) -> None:
    """At most what a swallowed call held comes twice, first copies in order; a mirror into Kafka counts each double."""
    # Within limits: how far behind the first copy the second one stands is a matter of the shard's rate.
    server = own_kinesis(enforce_limits=True).address
    path = into_kinesis(shards=4, server=server)
    sent = list(generate(records, keys=50, seed=seed, size=500))
    await path.write(sent)
    with KinesisProxy(server) as proxy:
        proxy.judge = _judge(draw, (*HARMLESS, *SWALLOWED), share)
        proxy.judge_entry = lambda _: "InternalFailure" if draw.random() < FAILING_ENTRIES else None
        await _mirrored(path, proxy, len(sent), codec)
    verdict = check_exact(ids_by_key(sent), await path.ids_by_key())
    doubled = verdict.arrived - len(sent)
    swallowed = sum(len(decode(key, data)) for key, data in proxy.swallowed)
    figure("doubled, of those in swallowed calls", f"{doubled} of {swallowed}")
    assert (verdict.missing, verdict.unexpected, verdict.disordered) == ((), (), ()), verdict
    assert 0 < doubled <= swallowed
    later = Route(tmp_path / "later", path.sink, TopicEnd(path.source.address, topic()))
    async with later.mirror({"name": later.topic, "checkpoints": None}) as mirror:
        await mirror.until_written(len(sent), timeout_s=600)
        await mirror.until_metric("kmbridge_skipped_records_total", doubled, timeout_s=120)
        assert await mirror.metric("kmbridge_skipped_records_total", reason="duplicate") == doubled
        assert await mirror.stop() == 0
    verdict = check_exact(ids_by_key(sent), await later.ids_by_key())
    assert verdict.ok, verdict


def _judge(draw: Random, faults: tuple[Fault, ...], share: float) -> Judge:
    """So many of the calls that write have one of ``faults``, and the first the last of them, however few there are."""
    first = [faults[-1]]

    def judge(call: Call) -> Fault | None:
        if call.operation != "PutRecords":
            return None
        if first:
            return first.pop()
        return draw.choice(faults) if draw.random() < share else None

    return judge


async def _mirrored(path: IntoKinesis, proxy: KinesisProxy, records: int, codec: str) -> None:
    behind = path.through(sink=path.sink.at(proxy.address))
    async with behind.mirror({"sink": {"kinesis": {"codec": codec}}}) as mirror:
        await mirror.until_written(records, timeout_s=600)
        assert await mirror.stop() == 0
