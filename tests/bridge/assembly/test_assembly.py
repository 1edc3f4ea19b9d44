"""A configuration becomes the parts it names, each told what its keys say."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Self

import pytest

import bridge.assembly.ends
import bridge.assembly.mirror
from bridge.assembly import Assembly, assemble
from bridge.config import Configuration, load
from bridge.coordination.fenced_writer import FencedWriter
from bridge.coordination.kafka_group import KafkaGroup
from bridge.coordination.single import SingleWorker
from bridge.engine.policy import OnError, OnGap, Policy
from bridge.keeping.stores import described
from bridge.keeping.worker import kept_by
from bridge.pacing.paced import PacedSource
from checkpoints.base import StoreBusyError
from checkpoints.dynamodb.store import DynamoCheckpoints
from checkpoints.kafka.store import KafkaCheckpoints
from checkpoints.memory import MemoryCheckpoints
from checkpoints.sqlite.store import SqliteCheckpoints
from connectors.base import Clock, Observer, RefusedError, SettingsError
from connectors.kafka.settings import Transactional
from connectors.kinesis.settings import FanOutSettings
from tests.bridge.test_config_mistakes import VALID

ROLE = "arn:aws:iam::123456789012:role/mirror"


class Part:
    """Stands for a source or a sink: keeps what it was made with, notes when it is entered and left."""

    largest_record: int | None = 5000
    takes = 5000

    def __init__(self, *made_with: Any, transactional: Transactional | None = None) -> None:
        self.made_with = made_with
        self.settings = made_with[0]
        self.transactional = transactional
        self.address = f"place:{id(self)}"
        self.events: list[str] = []

    async def __aenter__(self) -> Self:
        self.events.append("entered")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.events.append("left")

    def too_small_for(self, largest_record: int) -> str:
        return f"max.bytes={largest_record} needed" if largest_record > self.takes else ""


@pytest.fixture(autouse=True)
def _parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KinesisSource", "FanOutSource", "KafkaSink", "FileSink"):
        monkeypatch.setattr(bridge.assembly.ends, name, Part)


def configured(folder: Path, more: str = "", *settings: str) -> Configuration:
    file = folder / "o.yaml"
    file.write_text(VALID + more)
    return load([str(file)], environment={}, settings=settings)


def assembled(folder: Path, more: str = "", *settings: str) -> Assembly:
    parts = configured(folder, f"{more}\ncheckpoints: memory\n", *settings)
    return assemble(parts, observer=Observer(), clock=Clock(), random=Random(1))


def settings_of(part: Any) -> Any:
    assert isinstance(part, Part)
    return part.settings


def test_the_source_is_told_what_its_keys_say(tmp_path: Path) -> None:
    """Each of them; durations in seconds."""
    found = settings_of(
        assembled(
            tmp_path,
            "",
            "source.kinesis={stream: s, region: eu-west-1, endpoint_url: 'http://h:1', poll_interval: 200ms,"
            f" start: '2026-01-31T12:00:00Z', deaggregate: kcl, read_share: 0.5, assume_role_arn: '{ROLE}'}}",
        ).ends.source
    )
    assert (found.stream, found.region, found.endpoint_url) == ("s", "eu-west-1", "http://h:1")
    assert (found.start, found.poll_interval_s) == (datetime(2026, 1, 31, 12, tzinfo=UTC), 0.2)
    assert (found.deaggregate, found.read_share, found.assume_role_arn) == ("kcl", 0.5, ROLE)


def test_a_source_that_subscribes_is_told_for_whom(tmp_path: Path) -> None:
    """By the mirror's name where none is given; the sink then waits less for others to be sent with."""
    for more, told in (
        ("", FanOutSettings("kmbridge-orders", "stop")),
        (", fan_out_consumer: c, fan_out_fallback: polling", FanOutSettings("c", "polling")),
    ):
        ends = assembled(tmp_path, "", f"source.kinesis={{stream: s, region: eu-west-1, read: fan_out{more}}}").ends
        assert isinstance(ends.source, Part)
        assert ends.source.made_with[1] == told
        assert settings_of(ends.sink).linger_ms < settings_of(assembled(tmp_path).ends.sink).linger_ms


def test_the_sink_is_told_what_its_keys_say(tmp_path: Path) -> None:
    """With secrets as they are, and a client id for quotas and logs of the cluster."""
    found = settings_of(
        assembled(
            tmp_path,
            "    compression: zstd\n    librdkafka: {sasl.password: hunter2, linger.ms: 5}\n"
            "    create_topic: {partitions: 3, replication_factor: 2, config: {retention.ms: 5}}\n",
        ).ends.sink
    )
    assert (found.bootstrap_servers, found.topic, found.compression) == ("b-1:9098", "orders", "zstd")
    assert dict(found.librdkafka) == {"sasl.password": "hunter2", "linger.ms": "5"}
    assert found.client_id == "kmbridge-orders"
    assert (found.create_topic.partitions, found.create_topic.replication_factor) == (3, 2)
    assert dict(found.create_topic.config) == {"retention.ms": "5"}
    assert settings_of(assembled(tmp_path).ends.sink).create_topic is None


def test_dead_letters_go_to_a_topic_of_the_same_cluster_or_to_a_file(tmp_path: Path) -> None:
    """And nowhere while errors stop a lane."""
    assert assembled(tmp_path, "dead_letter: {kafka: {topic: bad}}").ends.dead_letter is None
    topic = settings_of(
        assembled(tmp_path, "on_error: dead_letter\ndead_letter: {kafka: {topic: bad}}").ends.dead_letter
    )
    assert (topic.topic, topic.bootstrap_servers, topic.create_topic) == ("bad", "b-1:9098", None)
    file = settings_of(
        assembled(tmp_path, "on_error: dead_letter\ndead_letter: {file: {path: bad.jsonl}}").ends.dead_letter
    )
    assert file == Path("bad.jsonl")


def test_the_policy_is_what_the_keys_say(tmp_path: Path) -> None:
    """Provenance is sent unless it is never to be: Kafka has headers."""
    policy = bridge.assembly.mirror.policy_of
    assert policy(configured(tmp_path, "checkpoints: memory\n")) == Policy()
    assert policy(configured(tmp_path)) == Policy(checkpoint_interval_s=0.1)
    more = "checkpoints: memory\non_gap: continue\ncheckpoint_interval: 2s\nlimits: {memory: 1MiB}\nprovenance: never\n"
    more += "on_error: dead_letter\ndead_letter: {file: {path: bad}}\n"
    assert policy(configured(tmp_path, more)) == Policy(
        checkpoint_interval_s=2.0, memory=2**20, on_gap=OnGap.CONTINUE, on_error=OnError.DEAD_LETTER, provenance=False
    )


@pytest.mark.parametrize(
    ("more", "is_paced"),
    [("", False), ("limits: {records_per_second: 500}", True), ("limits: {bytes_per_second: 5MB}", True)],
)
def test_reading_is_paced_where_a_rate_is_set_and_costs_nothing_elsewhere(
    tmp_path: Path, more: str, *, is_paced: bool
) -> None:
    """Without a limit the engine reads the source itself."""
    assert isinstance(assembled(tmp_path, more).ends.source, PacedSource) is is_paced


@pytest.mark.parametrize(
    ("more", "store", "coordinator", "place"),
    [
        ("", KafkaCheckpoints, KafkaGroup, "topic kmbridge-checkpoints at b-1:9098"),
        ("checkpoints: {kafka: {topic: places}}", KafkaCheckpoints, KafkaGroup, "topic places at b-1:9098"),
        ("checkpoints: {sqlite: {path: /x/y.db}}", SqliteCheckpoints, SingleWorker, "/x/y.db"),
        ("checkpoints: {dynamodb: {table: places}}", DynamoCheckpoints, SingleWorker, "DynamoDB table places"),
        ("checkpoints: memory", MemoryCheckpoints, SingleWorker, "memory"),
    ],
)
def test_checkpoints_are_where_the_key_says(
    tmp_path: Path, more: str, store: type, coordinator: type, place: str
) -> None:
    """In a topic of the sink's cluster, where nothing is said; workers share only what is in Kafka."""
    asked = configured(tmp_path, more)
    keeping = kept_by(asked, Clock(), 0)
    assert (type(keeping.store), type(keeping.coordinator), described(asked)) == (store, coordinator, place)


def test_exactly_once_writes_checkpoints_by_the_sink_and_at_least_once_by_a_writer(tmp_path: Path) -> None:
    """Refused records go where the checkpoints go: into the same transaction."""
    dead = "on_error: dead_letter\ndead_letter: {kafka: {topic: bad}}\n"
    parts = assemble(configured(tmp_path, dead), observer=Observer(), clock=Clock(), random=Random(1))
    sink: Any = parts.ends.sink
    made: Any = parts.keeping.transactional
    assert sink.transactional is made
    assert (made.checkpoint_topic, made.dead_letter) == ("kmbridge-checkpoints", "bad")
    assert parts.ends.dead_letter is None
    assert parts.keeping.writer is None
    asked = configured(tmp_path, dead, "sink.kafka.delivery=at_least_once")
    parts = assemble(asked, observer=Observer(), clock=Clock(), random=Random(1))
    assert parts.keeping.transactional is None
    assert isinstance(parts.keeping.writer, FencedWriter)
    assert settings_of(parts.ends.dead_letter).topic == "bad"


async def test_all_parts_are_open_inside_and_closed_behind(tmp_path: Path) -> None:
    """The checkpoints too."""
    parts = await asyncio.to_thread(assembled, tmp_path, "on_error: dead_letter\ndead_letter: {file: {path: bad}}")
    ends: list[Any] = [parts.ends.source, parts.ends.sink, parts.ends.dead_letter]
    async with parts.opened():
        assert [end.events for end in ends] == [["entered"]] * 3
        with pytest.raises(StoreBusyError):
            await parts.keeping.store.__aenter__()
    assert [end.events for end in ends] == [["entered", "left"]] * 3
    async with parts.keeping.store:
        pass


@pytest.mark.parametrize(("largest", "warnings"), [(None, 0), (5000, 0), (5001, 1)])
async def test_a_sink_for_smaller_records_than_the_source_has_is_warned_of(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    largest: int | None,
    warnings: int,
) -> None:
    """In one line, when both are open; of dead letters nothing is said, nor where the source's limit is unknown."""
    monkeypatch.setattr(Part, "largest_record", largest)
    parts = await asyncio.to_thread(assembled, tmp_path, "on_error: dead_letter\ndead_letter: {kafka: {topic: bad}}")
    async with parts.opened():
        pass
    said = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert said == ["message-size: max.bytes=5001 needed for the source's largest record"] * warnings


async def test_a_mirror_of_a_place_into_itself_is_refused(tmp_path: Path) -> None:
    """Whatever names both ends have: it would never come to an end."""
    parts = await asyncio.to_thread(assembled, tmp_path)
    ends: list[Any] = [parts.ends.source, parts.ends.sink]
    ends[1].address = ends[0].address
    with pytest.raises(SettingsError, match="source and sink are the same"):
        await parts.opened().__aenter__()
    assert [end.events for end in ends] == [["entered", "left"]] * 2


async def test_busy_checkpoints_keep_the_ends_untouched(tmp_path: Path) -> None:
    """A second process of a mirror does nothing to the streams and topics of the first."""
    parts = await asyncio.to_thread(assembled, tmp_path)
    assert isinstance(parts.keeping.store, MemoryCheckpoints)
    async with parts.keeping.store:
        with pytest.raises(StoreBusyError):
            await parts.opened().__aenter__()
    ends: list[Any] = [parts.ends.source, parts.ends.sink]
    assert [end.events for end in ends] == [[], []]


async def test_an_end_that_refuses_closes_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that is still being reached; what the first one raised is raised as it is."""

    class Refusing(Part):
        async def __aenter__(self) -> Self:
            await asyncio.sleep(0)
            raise RefusedError("open topic orders", "there is none")

    monkeypatch.setattr(bridge.assembly.ends, "KafkaSink", Refusing)
    parts = await asyncio.to_thread(assembled, tmp_path)
    with pytest.raises(RefusedError, match="there is none"):
        await parts.opened().__aenter__()
    source: Any = parts.ends.source
    assert source.events == ["entered", "left"]
    async with parts.keeping.store:
        pass
