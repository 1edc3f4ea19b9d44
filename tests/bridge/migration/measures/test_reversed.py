"""The configuration of the way back, from that of the way there."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.config import Configuration, load
from bridge.config.transforms.schemas import SchemasTransform
from bridge.errors import UsageError
from bridge.findings import Severity
from bridge.migration.measures import preflight
from bridge.migration.measures.reversed import check_reversible, reversed_configuration
from connectors.schemas.settings import ConfluentSettings, GlueSettings

STREAM = {"stream": "orders", "region": "eu-west-1", "endpoint_url": "http://127.0.0.1:4567"}
TOPIC = {"bootstrap_servers": ["b-1:9098"], "topic": "orders"}
START = "2026-01-31T12:00:00.000Z"


@pytest.fixture
def configured(tmp_path: Path) -> "Configured":
    return Configured(tmp_path)


class Configured:
    def __init__(self, folder: Path) -> None:
        self._file = folder / "mirror.yaml"

    def __call__(self, **keys: Any) -> Configuration:
        asked = {"name": "orders", "source": {"kinesis": STREAM}, "sink": {"kafka": TOPIC}, **keys}
        return self.read(yaml.safe_dump(asked))

    def read(self, text: str, environment: Mapping[str, str] | None = None) -> Configuration:
        self._file.write_text(text)
        return load([str(self._file)], environment=environment or {})


def test_ends_change_places(configured: Configured) -> None:
    """Each keeps what says where it is; how it is read and written is of the direction, and begins anew."""
    forward = configured(
        source={"kinesis": {**STREAM, "poll_interval": "3s", "read_share": 2.0}},
        sink={"kafka": {**TOPIC, "compression": "zstd", "delivery": "exactly_once"}},
    )
    back = reversed_configuration(forward, START, "envelope").configuration
    assert back.name == "orders-reverse"
    assert back.source.kafka is not None
    assert back.sink.kinesis is not None
    assert (back.source.kafka.topic, back.source.kafka.bootstrap_servers) == ("orders", ("b-1:9098",))
    assert back.source.kafka.model_dump(mode="json")["start"] == "2026-01-31T12:00:00Z"
    assert (back.sink.kinesis.stream, back.sink.kinesis.endpoint_url) == ("orders", "http://127.0.0.1:4567")
    assert back.sink.kinesis.codec == "envelope"
    assert back.checkpoints == "auto"


def test_the_text_says_the_same(configured: Configured) -> None:
    """It is a file for ``kmbridge run``."""
    forward = configured(
        workers={"session_timeout": "9s"},
        limits={"records_per_second": 50},
        http={"listen": "[::1]:8080"},
        on_gap="stop",
    )
    back = reversed_configuration(forward, START, "kpl")
    assert configured.read(back.text) == back.configuration
    assert back.configuration.workers.session_timeout == 9
    assert back.configuration.limits.records_per_second == 50


def test_secrets_are_left_to_the_environment(configured: Configured) -> None:
    """The file can be shown; the configuration in memory has them all the same."""
    forward = configured(sink={"kafka": {**TOPIC, "librdkafka": {"sasl.username": "me", "sasl.password": "hunter2"}}})
    back = reversed_configuration(forward, START, "kpl")
    assert "hunter2" not in f"{back.text} {back!r}"
    assert back.secrets == {"KMBRIDGE_SOURCE_SASL_PASSWORD": "hunter2"}
    assert "KMBRIDGE_SOURCE_SASL_PASSWORD" in back.text
    assert configured.read(back.text, back.secrets) == back.configuration


def test_what_is_told_is_guarded_and_exported_as_the_forward_mirrors(configured: Configured) -> None:
    """An address that others reach is no more open on the way back, and its token stands in no file."""
    http = {"listen": "0.0.0.0:8080", "token": "correct-horse-battery-staple"}
    back = reversed_configuration(configured(http=http, telemetry={"emf": {"interval": "30s"}}), START, "kpl")
    assert back.configuration.http is not None
    assert back.configuration.http.listen == ("0.0.0.0", 8081)
    assert back.secrets == {"KMBRIDGE_HTTP_TOKEN": http["token"]}
    assert http["token"] not in back.text
    assert back.configuration.telemetry is not None
    assert back.configuration.telemetry.emf is not None
    assert configured.read(back.text, back.secrets) == back.configuration


def test_both_can_run_on_one_machine(configured: Configured) -> None:
    """Files and ports are not shared."""
    forward = configured(
        checkpoints={"sqlite": {"path": "/data/orders.db"}},
        on_error="dead_letter",
        dead_letter={"file": {"path": "/data/rejected.jsonl"}},
    )
    back = reversed_configuration(forward, START, "kpl").configuration
    assert back.sqlite_path == Path("/data/orders-reverse.db")
    assert back.dead_letter is not None
    assert back.dead_letter.file is not None
    assert back.dead_letter.file.path == Path("/data/rejected-reverse.jsonl")
    assert back.http is not None
    assert back.http.listen == ("127.0.0.1", 8081)


def test_a_long_name_stays_a_name(configured: Configured) -> None:
    """It is cut where the end would not fit."""
    back = reversed_configuration(configured(name="o" * 60), START, "kpl").configuration
    assert len(back.name) == 60
    assert back.name.endswith("-reverse")


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"source": {"kafka": TOPIC}, "sink": {"kinesis": STREAM}},
        {"sink": {"kinesis": {**STREAM, "stream": "copies"}}},
        {"source": {"kafka": TOPIC}, "sink": {"kafka": {**TOPIC, "bootstrap_servers": ["other:9098"]}}},
    ],
)
def test_every_pair_has_a_way_back(configured: Configured, keys: Mapping[str, Any]) -> None:
    """And the way back of the way back leads where the first one does."""
    forward = configured(**keys)
    check_reversible(forward, "kpl")
    back = reversed_configuration(forward, "latest", "kpl").configuration
    there = reversed_configuration(back, "latest", "kpl").configuration
    assert (there.source.end.title, there.sink.end.title) == (forward.source.end.title, forward.sink.end.title)


@pytest.mark.parametrize(
    ("keys", "codec", "told"),
    [
        ({"provenance": "never"}, "kpl", "no origin"),
        ({"source": {"kafka": TOPIC}, "sink": {"kinesis": {**STREAM, "codec": "raw"}}}, "kpl", "no origin"),
        ({"on_loop": "pass"}, "kpl", "mirror again"),
        ({"checkpoints": "memory", "sink": {"kafka": {**TOPIC, "delivery": "at_least_once"}}}, "kpl", "in memory"),
        ({}, "raw", "codec raw"),
        ({"source": {"kinesis": {**STREAM, "codec": "raw"}}}, "kpl", "codec raw"),
        ({"source": {"kinesis": {**STREAM, "codec": "envelope"}}}, "kpl", "codec envelope"),
        ({"source": {"kinesis": {**STREAM, "deaggregate": "never"}}}, "kpl", "aggregates"),
    ],
)
def test_what_would_send_records_in_a_circle_is_refused(
    configured: Configured, keys: Mapping[str, Any], codec: Any, told: str
) -> None:
    """Wherever one of the two mirrors would not know the records of the other."""
    with pytest.raises(UsageError, match=told):
        check_reversible(configured(**keys), codec)


def test_registries_change_places_too(configured: Configured) -> None:
    """Who reads the old side asks the old registry; passwords are left to the environment, there too."""
    confluent = {"confluent": {"url": "http://r:8081", "username": "me", "password": "hunter2", "framing": "header"}}
    forward = configured(transforms=[{"schemas": {"from": "glue", "to": confluent, "unknown": "pass"}}])
    back = reversed_configuration(forward, START, "kpl")
    (step,) = back.configuration.transforms
    assert isinstance(step, SchemasTransform)
    there = step.schemas.settings("topic", "stream")
    assert there.target == GlueSettings()
    assert there.source == ConfluentSettings(("http://r:8081",), ("me", "hunter2"))
    assert there.unknown == "pass"
    assert "hunter2" not in back.text
    assert "hunter2" in back.secrets.values()
    assert preflight._reversible(forward, "kpl").severity is Severity.OK


def test_a_mirror_back_undoes_no_transforms(configured: Configured) -> None:
    """It has none, and who begins a migration is told before."""
    forward = configured(transforms=[{"python": "orders:priced"}])
    assert reversed_configuration(forward, START, "kpl").configuration.transforms == ()
    one = preflight._reversible(forward, "kpl")
    assert (one.severity, one.found) == (Severity.WARNING, "a mirror back has no transforms but schemas")
