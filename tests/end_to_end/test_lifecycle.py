"""From the first answer of its port to the last signal: a mirror as its operator meets it."""

import asyncio
import json
import signal

import pytest

from tests.end_to_end.conftest import HarmedKafka
from tests.support.checker import check_exact
from tests.support.command import run_command
from tests.support.kafka_reader import TopicRecord, ids_by_key
from tests.support.origins import Origin, Place, place
from tests.support.records import generate
from tests.support.records import ids_by_key as sent_ids_by_key
from tests.support.route import RouteFactory
from tests.support.shards import open_shards

STATUS_KEYS = {"name", "version", "state", "records_total", "bytes_total", "records_per_second", "lanes"}
LANE_KEYS = {"partition", "state", "position", "lag_seconds", "records_total", "records_per_second", "error"}


@pytest.mark.parametrize(
    ("records", "drains"),
    [pytest.param(15_000, 2, id="small"), pytest.param(200_000, 20, id="full", marks=pytest.mark.long)],
)
async def test_the_first_signal_drains(route: RouteFactory, seed: int, records: int, drains: int) -> None:
    """It exits 0 with checkpoints exactly at what arrived, so that the next life neither loses nor doubles."""
    path = route()
    sent = list(generate(records, 500, seed=seed, size=1_000))
    async with path.mirror() as mirror:
        share = len(sent) // (drains + 1)
        for number in range(drains):
            writing = asyncio.create_task(path.write(sent[number * share : (number + 1) * share]))
            await mirror.until_written(share // 2)
            mirror.signal((signal.SIGTERM, signal.SIGINT)[number % 2])
            assert await mirror.ended() == 0
            stored = {shard: place(each.position or "") for shard, each in (await mirror.checkpoints()).items()}
            assert stored == _last_places(await path.records())
            await writing
            mirror.start()
        await mirror.ready()
        await path.write(sent[drains * share :])
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
    verdict = check_exact(sent_ids_by_key(sent), ids_by_key(await path.records()))
    assert verdict.ok, verdict


@pytest.mark.broker
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.long)]
)
async def test_the_second_signal_forces(
    harmed_route: RouteFactory, harmed_kafka: HarmedKafka, seed: int, number: signal.Signals, code: int
) -> None:
    """While the drain waits for a broker that is frozen: at once, and the next life loses nothing."""
    path = harmed_route()
    sent = list(generate(5_000, 500, seed=seed))
    async with path.mirror() as mirror:
        harmed_kafka.broker.freeze()
        await path.write(sent)
        await mirror.until_metric("kmbridge_records_read_total", 1)
        mirror.signal(number)
        await mirror.until(lambda status: status["state"] == "draining", "the drain")
        mirror.signal(number)
        assert await mirror.ended(5) == code
        harmed_kafka.broker.thaw()
        mirror.start()
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0


async def test_the_port_tells_what_happens(route: RouteFactory, seed: int) -> None:
    """/healthz, /readyz, /status and /metrics agree with what was mirrored."""
    path = route()
    sent = list(generate(2_000, 50, seed=seed))
    size = sum(len(record.value(0)) + len(record.key) for record in sent)
    async with path.mirror() as mirror:
        assert (await mirror.ask("/healthz"))[0] == 200
        assert (await mirror.ask("/readyz"))[0] == 200
        await path.write(sent)
        await mirror.until_written(len(sent))
        status = await mirror.status()
        assert set(status) >= STATUS_KEYS
        assert (status["name"], status["state"]) == ("mirror", "running")
        assert (status["records_total"], status["bytes_total"]) == (len(sent), size)
        assert {lane["partition"] for lane in status["lanes"]} == _shard_ids(path.kinesis, path.stream)
        assert all(set(lane) >= LANE_KEYS for lane in status["lanes"])
        assert sum(lane["records_total"] for lane in status["lanes"]) == len(sent)
        for name in ("records_read", "records_written"):
            assert await mirror.metric(f"kmbridge_{name}_total", mirror="mirror") == len(sent)
        for name in ("bytes_read", "bytes_written"):
            assert await mirror.metric(f"kmbridge_{name}_total", mirror="mirror") == size
        assert await mirror.metric("kmbridge_lanes", state="running") == 4
        assert await mirror.metric("kmbridge_latency_seconds_count") == len(sent)
        assert await mirror.stop() == 0


async def test_checkpoints_can_be_seen_but_not_changed_while_it_runs(route: RouteFactory, seed: int) -> None:
    """The list shows where each shard stands; set and reset are refused, and nothing moves."""
    path = route()
    sent = list(generate(2_000, 500, seed=seed))
    await path.write(sent)
    async with path.mirror() as mirror:
        await path.until_arrived(len(sent))
        last = _last_places(await path.records())
        await mirror.until_checkpointed(
            lambda stored: {shard: place(each.position or "0") for shard, each in stored.items()} == last, "all stored"
        )
        listed = await run_command("checkpoints", "list", mirror.config, "--json")
        found = json.loads(listed.out)["checkpoints"]
        assert {each["partition"]: place(each["position"]) for each in found} == last
        shard = found[0]["partition"]
        for change in (("set", mirror.config, shard, "trim_horizon"), ("reset", mirror.config, "--yes")):
            refused = await run_command("checkpoints", *change)
            assert refused.code == 1, refused
            assert str(mirror.database) in refused.err
        assert await mirror.stop() == 0
    stored = await mirror.checkpoints()
    assert {shard: place(each.position or "") for shard, each in stored.items()} == last


async def test_a_mirror_whose_checkpoints_are_reset_begins_again(route: RouteFactory, seed: int) -> None:
    """After a reset the records come again, once."""
    path = route(shards=1)
    sent = list(generate(500, 50, seed=seed))
    await path.write(sent)
    async with path.mirror() as mirror:
        await path.until_arrived(len(sent))
        assert await mirror.stop() == 0
        changed = await run_command("checkpoints", "reset", mirror.config, "--yes")
        assert changed.code == 0, changed
        mirror.start()
        await mirror.until_written(len(sent))
        assert await mirror.stop() == 0
    arrived = await path.ids_by_key()
    assert arrived == {key: ids * 2 for key, ids in sent_ids_by_key(sent).items()}


def _last_places(arrived: list[TopicRecord]) -> dict[str, Place]:
    """The furthest place of each shard whose record is in the topic."""
    last: dict[str, Place] = {}
    for record in arrived:
        origin = Origin.of(record)
        last[origin.shard] = max(last.get(origin.shard, origin.place), origin.place)
    return last


def _shard_ids(url: str, stream: str) -> set[str]:
    return {shard.id for shard in open_shards(url, stream)}
