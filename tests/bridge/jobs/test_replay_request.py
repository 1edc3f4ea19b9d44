"""What a replay may be asked for, and what it makes of the mirror's configuration."""

from pathlib import Path

import pytest

from bridge.config import Configuration, load
from bridge.errors import UsageError
from bridge.jobs.replay_request import ReplayRequest, check, own_configuration
from bridge.jobs.span import point

KINESIS = "kinesis: {stream: orders, region: eu-west-1}"
KAFKA = "kafka: {bootstrap_servers: [b-1:9098], topic: orders}"


def configured(folder: Path, source: str, sink: str, more: str = "") -> Configuration:
    file = folder / "orders.yaml"
    file.write_text(f"name: orders\nsource: {{{source}}}\nsink: {{{sink}}}\n{more}\n")
    return load([str(file)], environment={})


def asked(since: str = "trim_horizon", until: str = "now", **options: float) -> ReplayRequest:
    rate, speed = options.get("rate"), options.get("speed")
    return ReplayRequest(point("--from", [since]), point("--until", [until]), None, rate, speed)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (asked("now"), "--from now: nothing has arrived since"),
        (asked(until="trim_horizon"), "--until trim_horizon: nothing is before it"),
        (asked("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"), "is before --from 2026-01-02T00:00:00Z"),
        (asked(rate=5.0, speed=2.0), "--rate and --speed: each says how fast"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_anything_is_opened(
    tmp_path: Path, request_: ReplayRequest, message: str
) -> None:
    """With the option at fault."""
    with pytest.raises(UsageError, match=message):
        check(configured(tmp_path, KINESIS, KAFKA), request_)


def test_raw_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """It has no room for the mark of what is sent again."""
    asking = configured(tmp_path, KAFKA, "kinesis: {stream: copy, region: eu-west-1, codec: raw}")
    with pytest.raises(UsageError, match=r"--set sink\.kinesis\.codec=kpl"):
        check(asking, asked())


def test_nothing_of_the_mirror_is_used(tmp_path: Path) -> None:
    """Neither its checkpoints nor its transactions, nor its names alone, nor its place in a group."""
    more = "workers: {instance: pod-1}\nlimits: {records_per_second: 100}"
    mirror = configured(tmp_path, KINESIS, KAFKA, more)
    own = own_configuration(mirror, asked(rate=500.0), "id-1")
    assert own.name == "orders-replay-id-1"
    assert own.checkpoints == "memory"
    assert (own.checkpoint_topic, own.checkpoints_in_source_group, own.delivery) == (None, False, "at_least_once")
    assert own.workers.instance is None
    assert own.limits.records_per_second == 100
    assert own.sink.kafka == mirror.sink.kafka


def test_the_mirror_keeps_its_subscriptions(tmp_path: Path) -> None:
    """A shard sends to one subscription of a consumer: what runs beside the mirror polls."""
    more = "read: fan_out, fan_out_consumer: ours"
    mirror = configured(tmp_path, KINESIS.replace("stream:", f"{more}, stream:"), KAFKA)
    assert mirror.fan_out_consumer == "ours"
    assert own_configuration(mirror, asked(), "id-1").fan_out_consumer is None


def test_another_target_is_checked_as_the_configuration_is(tmp_path: Path) -> None:
    """A topic where the sink is Kafka, a stream where it is Kinesis."""
    since = point("--from", ["trim_horizon"])
    mirror = configured(tmp_path, KINESIS, KAFKA)
    own = own_configuration(mirror, ReplayRequest(since, to="other"), "i")
    assert own.sink.kafka is not None
    assert own.sink.kafka.topic == "other"
    with pytest.raises(UsageError, match="--to a b: allowed: a topic's name"):
        own_configuration(mirror, ReplayRequest(since, to="a b"), "i")
    with pytest.raises(UsageError, match="allowed: a stream's name"):
        own_configuration(configured(tmp_path, KAFKA, KINESIS), ReplayRequest(since, to="a b"), "i")
