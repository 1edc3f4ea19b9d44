"""What a running mirror tells Prometheus, and which alerts come of it."""

import asyncio
import json
from functools import partial
from pathlib import Path
from random import Random

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from prometheus_client.parser import text_string_to_metric_families

from tests.support.alerts import check_firing
from tests.support.kinesis_proxy import Call, Fault, KinesisProxy
from tests.support.mirror_process import MirrorProcess, Status
from tests.support.records import generate
from tests.support.resharding import shard_ids, split_one
from tests.support.route import RouteFactory
from tests.support.topic_writer import TopicMessage, write_topic
from tests.support.way import IntoKinesis, IntoKinesisFactory

MIB = 2**20
PARTITIONED = {"mirror", "partition"}
INTERFACE = {
    "kmbridge_records_read_total": ("counter", {"mirror"}),
    "kmbridge_bytes_read_total": ("counter", {"mirror"}),
    "kmbridge_records_written_total": ("counter", {"mirror"}),
    "kmbridge_bytes_written_total": ("counter", {"mirror"}),
    "kmbridge_lag_seconds": ("gauge", PARTITIONED),
    "kmbridge_lag_records": ("gauge", PARTITIONED),
    "kmbridge_latency_seconds": ("histogram", {"mirror"}),
    "kmbridge_retries_total": ("counter", {"mirror", "operation", "reason"}),
    "kmbridge_throttled_total": ("counter", {"mirror", "operation"}),
    "kmbridge_dead_letter_records_total": ("counter", {"mirror", "reason"}),
    "kmbridge_skipped_records_total": ("counter", {"mirror", "reason"}),
    "kmbridge_checkpoint_age_seconds": ("gauge", PARTITIONED),
    "kmbridge_lanes": ("gauge", {"mirror", "state"}),
    "kmbridge_gaps_total": ("counter", {"mirror"}),
    "kmbridge_compressed_ratio": ("gauge", {"mirror"}),
    "kmbridge_buffered_bytes": ("gauge", {"mirror"}),
}
"""The metrics that users were promised, with their types and labels."""


async def test_conditions_of_a_running_mirror_fire_their_alerts_and_no_others(
    into_kinesis: IntoKinesisFactory, kinesis: str, seed: int, tmp_path: Path
) -> None:
    """A record for the dead letter, a sink that is away, a gap to stop at: the rules are judged by what was scraped."""
    path = into_kinesis(partitions=2, config={"max.message.bytes": str(2 * MIB)})
    burying = {"on_error": "dead_letter", "dead_letter": {"file": {"path": str(tmp_path / "dead.jsonl")}}}
    with KinesisProxy(kinesis) as proxy:
        mirror = path.through(sink=path.sink.at(proxy.address)).mirror(burying)
        async with mirror:
            await path.write(generate(100, 10, seed=seed))
            await _send(path, TopicMessage(b"poison", b"x" * (MIB + 1)))
            await mirror.until_metric("kmbridge_dead_letter_records_total", 1)
            await mirror.until_written(100)
            buried = await _scraped(mirror)
            await _judge(tmp_path, {"KmbridgeDeadLetters"}, buried)

            proxy.judge = _away
            await _send(path, TopicMessage(b"key", b"late", partition=0))
            await mirror.until(_one_retries, "a lane that cannot write")
            await _judge(tmp_path, {"KmbridgeLaneRetrying"}, buried, await _scraped(mirror))
            proxy.judge = lambda _: None
            await mirror.until_written(101)
            assert await mirror.stop() == 0

        await _send(path, TopicMessage(b"key", b"lost", partition=0))
        await asyncio.to_thread(_expire, path, 0)
        async with mirror:
            await mirror.until_metric("kmbridge_gaps_total", 1)
            await _judge(tmp_path, {"KmbridgeGap", "KmbridgeLaneFailed"}, await _scraped(mirror))
            assert await mirror.stop() == 0


async def test_every_promised_metric_is_there_and_a_finished_shard_takes_its_series_along(
    route: RouteFactory, seed: int, draw: Random
) -> None:
    """By name, type and labels; after a reshard, and after a restart behind it, only the children are told of."""
    path = route(shards=1)
    (parent,) = shard_ids(path.source)
    async with path.mirror() as mirror:
        await path.write(generate(100, 10, seed=seed))
        await mirror.until_written(100)
        await mirror.until_metric("kmbridge_checkpoint_age_seconds", 0)
        families = {family.name: family for family in text_string_to_metric_families(await _scraped(mirror))}
        for name, (kind, labels) in INTERFACE.items():
            family = families[name.removesuffix("_total")]
            assert family.type == kind, name
            assert family.documentation, name
            assert all(sample.labels.keys() - {"le"} == labels for sample in family.samples), name
        assert parent in _partitions(await _scraped(mirror))

        await asyncio.to_thread(split_one, path.source, draw)
        children = shard_ids(path.source)
        await mirror.until(lambda status: _running(status) == children, "the children run")
        assert _partitions(await _scraped(mirror)) == children
        assert await mirror.stop() == 0
    async with mirror:
        await mirror.until(lambda status: _running(status) == children, "the children run again")
        assert _partitions(await _scraped(mirror)) == children
        assert await mirror.stop() == 0


async def test_cloudwatch_is_told_on_standard_output_and_all_of_it_by_the_end(route: RouteFactory, seed: int) -> None:
    """One JSON document a line; the increases add up to what was mirrored."""
    path = route(shards=2)
    telemetry = {"telemetry": {"emf": {"interval": "1s", "dimensions": {"environment": "test"}}}}
    async with path.mirror(telemetry) as mirror:
        await path.write(generate(100, 10, seed=seed))
        await mirror.until_written(100)
        assert await mirror.stop() == 0
    lines = [line for line in mirror.printed().splitlines() if line.startswith('{"_aws"')]
    documents = [json.loads(line) for line in lines]
    assert {document["environment"] for document in documents} == {"test"}
    assert sum(document.get("kmbridge_records_written_total", 0) for document in documents) == 100


def _away(call: Call) -> Fault | None:
    return Fault.CUT if call.operation == "PutRecords" else None


def _one_retries(status: Status) -> bool:
    return any(lane["state"] == "retrying" for lane in status["lanes"])


def _running(status: Status) -> set[str]:
    return {lane["partition"] for lane in status["lanes"] if lane["state"] == "running"}


def _partitions(scrape: str) -> set[str]:
    families = text_string_to_metric_families(scrape)
    samples = (sample for family in families for sample in family.samples)
    return {sample.labels["partition"] for sample in samples if "partition" in sample.labels}


async def _scraped(mirror: MirrorProcess) -> str:
    _, text = await mirror.ask("/metrics")
    return text


async def _judge(folder: Path, expected: set[str], *scrapes: str) -> None:
    await asyncio.to_thread(partial(check_firing, folder, expected, *scrapes))


async def _send(path: IntoKinesis, message: TopicMessage) -> None:
    await asyncio.to_thread(write_topic, path.source.address, path.source.name, [message])


def _expire(path: IntoKinesis, partition: int) -> None:
    """As retention does with all that is there."""
    admin = AdminClient({"bootstrap.servers": path.source.address, "log_level": 0})
    (done,) = admin.delete_records([TopicPartition(path.source.name, partition, -1)]).values()
    done.result(30)
