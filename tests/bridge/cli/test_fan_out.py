"""``kmbridge fan-out``: the consumer of a mirror's stream, seen and removed."""

import json
from pathlib import Path

import pytest

from checkpoints.file_lock import FileLock
from tests.bridge.cli.called import call
from tests.support.factories import StreamFactory
from tests.support.kinesis_api import REGION, register_consumer
from tests.support.waiting import wait_until


@pytest.fixture
def config(kinesis: str, stream: StreamFactory, tmp_path: Path) -> Path:
    """Of a mirror that subscribed once, and polls now."""
    file, source = tmp_path / "orders.yaml", {"stream": stream(1), "region": REGION, "endpoint_url": kinesis}
    document = {
        "name": "orders",
        "source": {"kinesis": source},
        "sink": {"kafka": {"bootstrap_servers": ["127.0.0.1:1"], "topic": "orders"}},
        "checkpoints": {"sqlite": {"path": str(tmp_path / "orders.db")}},
    }
    file.write_text(json.dumps(document))  # JSON is YAML
    return file


def _registered(config: Path, name: str) -> str:
    """The ARN of a new consumer of the mirror's stream."""
    source = json.loads(config.read_text())["source"]["kinesis"]
    return register_consumer(source["endpoint_url"], source["stream"], name)


def test_the_consumer_of_a_mirror_is_removed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the mirror's name, whatever reads the stream now; a second time there is nothing to remove."""
    arn = _registered(config, "kmbridge-orders")
    shown = call(capsys, "fan-out", "show", config, "--json")
    assert json.loads(shown.out)["consumer"]["arn"] == arn
    removed = call(capsys, "fan-out", "remove", config)
    assert (removed.code, removed.out) == (0, f"{arn} is removed\n")
    wait_until(lambda: "no consumer" in call(capsys, "fan-out", "show", config).out, "the consumer gone")
    again = call(capsys, "fan-out", "remove", config, "--json")
    assert (again.code, json.loads(again.out)["removed"]) == (0, None)


def test_the_consumer_of_a_mirror_at_work_stays(
    config: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The mirror would register it again; whoever owns its checkpoints is named."""
    _registered(config, "kmbridge-orders")
    database = tmp_path / "orders.db"
    lock = FileLock(tmp_path / "orders.db.lock", database)
    try:
        refused = call(capsys, "fan-out", "remove", config)
    finally:
        lock.release()
    assert refused.code == 1
    assert "owns it" in refused.err
    assert "kmbridge-orders" in call(capsys, "fan-out", "show", config).out


def test_a_consumer_that_is_given_by_its_arn_is_not_removed(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is somebody else's to remove."""
    arn = _registered(config, "others")
    asked = ("--set", "source.kinesis.read=fan_out", "--set", f"source.kinesis.fan_out_consumer={arn}")
    refused = call(capsys, "fan-out", "remove", config, *asked)
    assert refused.code == 3
    assert "whoever registered it removes it" in refused.err
    assert arn in call(capsys, "fan-out", "show", config, *asked).out


def test_a_mirror_of_a_topic_has_no_consumer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """That is a mistake in the call."""
    refused = call(capsys, "fan-out", "show", "kafka://127.0.0.1:1/orders", "kafka://127.0.0.1:2/orders")
    assert refused.code == 2
    assert "the source of this mirror is a topic" in refused.err
