"""``kmbridge doctor`` at real servers: what it finds there, and what it exits with."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bridge.config import load
from bridge.doctor import Finding, Severity, doctor
from tests.support.checker import check_exact
from tests.support.command import run_command
from tests.support.consumers import Group
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.mirror_process import MirrorProcess
from tests.support.ports import HOST, free_port
from tests.support.records import generate, ids_by_key
from tests.support.secured_kafka import SecuredKafka
from tests.support.topics import add_partitions
from tests.support.way import Way

WELL, ENDPOINT = 0, 3
PATIENCE_S = 30.0
"""However busy the machine is: what is found matters, and not how fast."""
KEYS = 40


class Ends:
    """A stream and a topic, and mirrors between them with checkpoints in the topic's cluster."""

    def __init__(self, stream: StreamEnd, topic: TopicEnd, folder: Path) -> None:
        self.stream, self.topic, self.folder = stream, topic, folder
        self.more: dict[str, Any] = {
            "name": f"mirror-{uuid4().hex[:8]}",
            "checkpoints": {"sqlite": None, "kafka": {"topic": f"checkpoints-{uuid4().hex[:8]}", "slots": 2}},
        }

    @property
    def into_topic(self) -> Way[StreamEnd, TopicEnd]:
        return Way(self.folder / "into-topic", self.stream, self.topic)

    @property
    def into_stream(self) -> Way[TopicEnd, StreamEnd]:
        return Way(self.folder / "into-stream", self.topic, self.stream)


@pytest.fixture
def ends(kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path) -> Ends:
    return Ends(StreamEnd(kinesis, stream(2)), TopicEnd(kafka, topic(3)), tmp_path)


class Seen:
    """What was found."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = findings

    def of(self, check: str) -> list[tuple[str, str]]:
        """Severity, and all that is told, of each finding of ``check``."""
        return [(each.severity.value, str(each)) for each in self.findings if each.check == check]

    def those(self, severity: str) -> list[str]:
        """The checks with such findings."""
        return sorted({each.check for each in self.findings if each.severity == severity})


async def examined(config: Path, *settings: str) -> Seen:
    """By a call of the library."""
    asked = await asyncio.to_thread(load, [str(config)], environment=os.environ, settings=settings)
    return Seen((await doctor(asked, patience_s=PATIENCE_S)).findings)


async def told(config: Path) -> tuple[int, Seen]:
    """By the command: its exit code, and what it printed as JSON."""
    finished = await run_command("doctor", config, "--json")
    assert "Traceback" not in finished.err, finished.err
    findings = json.loads(finished.out)["findings"]
    return finished.code, Seen([Finding(**{**each, "severity": Severity(each["severity"])}) for each in findings])


async def test_a_mirror_that_runs_is_well(ends: Ends) -> None:
    """Its worker is named, its checkpoints are of these ends, and looking at it costs it nothing."""
    records = list(generate(300, KEYS))
    await ends.stream.write(records[:150])
    async with ends.into_topic.mirror(ends.more) as mirror:
        await mirror.until_written(150)
        code, seen = await told(mirror.config)
        await ends.stream.write(records[150:])
        await mirror.until_written(300)
        assert await mirror.stop() == 0
    assert (code, seen.those("failed")) == (WELL, [])
    [(severity, text)] = seen.of("conflicts")
    assert (severity, ends.more["name"] in text) == ("ok", True)
    [(severity, text)] = seen.of("identity")
    assert (severity, "2 checkpoints" in text) == ("ok", True)
    assert "transactions can be begun" in str(seen.of("permissions"))
    assert "150 records" in str(seen.of("permissions"))
    check_exact(ids_by_key(records), await ends.topic.ids_by_key())


async def test_a_mirror_into_a_stream_is_looked_at_before_it_runs(ends: Ends) -> None:
    """There are no checkpoints yet, and nothing is made for them."""
    await ends.topic.write(generate(100, KEYS))
    mirror = ends.into_stream.mirror({"checkpoints": None})
    seen = await examined(mirror.config)
    assert seen.those("failed") == []
    assert "no checkpoints yet" in str(seen.of("identity"))
    assert "not tried" in str(seen.of("permissions"))
    assert [severity for severity, _ in seen.of("readers")] == ["skipped", "skipped"]


async def test_an_end_that_is_not_reached_does_not_hide_the_other(ends: Ends) -> None:
    """The exit code says so; what depends on it is skipped, with the reason."""
    nowhere = f"{HOST}:{free_port()}"
    mirror = Way(ends.folder, ends.stream, ends.topic.at(nowhere)).mirror(ends.more)
    code, seen = await told(mirror.config)
    assert (code, seen.those("failed")) == (ENDPOINT, ["reachability"])
    assert nowhere in str(seen.of("reachability"))
    assert seen.of("order")[0][0] == "ok"
    assert seen.of("retention") == [("skipped", "retention: not looked at: sink: not reached")]


async def test_a_stream_that_is_not_there_is_named(ends: Ends) -> None:
    """As ``run`` would name it."""
    seen = await examined(ends.into_topic.mirror(ends.more).config, "source.kinesis.stream=no-such")
    assert seen.those("failed") == ["reachability"]
    assert "no-such" in str(seen.of("reachability"))


async def test_a_topic_that_the_mirror_makes_is_not_missed(ends: Ends) -> None:
    """Without ``create_topic`` it is; looking makes neither."""
    config = ends.into_topic.mirror(ends.more).config
    missing = await examined(config, "sink.kafka.topic=no-such")
    assert "create_topic" in str(missing.of("reachability"))
    made = await examined(config, "sink.kafka.topic=no-such", "sink.kafka.create_topic.partitions=3")
    assert made.those("failed") == []


async def test_a_topic_with_more_partitions_than_before_fails(ends: Ends) -> None:
    """The mirror would stop there, for keys move: with what to do about it."""
    await ends.stream.write(generate(50, KEYS))
    async with ends.into_topic.mirror(ends.more) as mirror:
        await mirror.until_written(50)
        assert await mirror.stop() == 0
    await asyncio.to_thread(add_partitions, ends.topic.address, ends.topic.name, 5)
    seen = await examined(mirror.config)
    assert seen.those("failed") == ["identity"]
    assert "with 3 partitions" in str(seen.of("identity"))


async def test_a_mirror_back_is_noticed(ends: Ends) -> None:
    """By the records that it brought; beside a mirror without origins it is a failure."""
    await ends.topic.write(generate(50, KEYS))
    async with ends.into_stream.mirror() as back:
        await back.until_written(50)
        assert await back.stop() == 0
    config = ends.into_topic.mirror(ends.more).config
    seen = await examined(config)
    assert (seen.those("failed"), seen.of("loops")[0][0]) == ([], "warning")
    assert (await examined(config, "provenance=never")).those("failed") == ["loops"]


async def test_consumers_that_are_to_move_are_looked_at(ends: Ends, moto: str) -> None:
    """A group by its offsets and how far it is; one that is not there has failed."""
    await ends.topic.write(generate(60, KEYS))
    group = Group(f"group-{uuid4().hex[:8]}", ends.topic)
    await group.stand({0: 0})
    moving = {
        "consumers": [{"application": "one", "group": group.name}, {"application": "other", "group": "nobody"}],
        "lease_endpoint_url": moto,
    }
    seen = await examined(ends.into_stream.mirror({"checkpoints": None, "cutover": moving}).config)
    assert seen.those("failed") == ["consumers"]
    known, far, missing = seen.of("consumers")
    assert (known[0], far[0], missing[0]) == ("ok", "ok", "failed")
    assert "partitions before it" in far[1]
    assert "group nobody is not there" in missing[1]


async def test_a_cluster_that_keeps_us_out_does_not_hide_the_other(ends: Ends, secured_kafka: SecuredKafka) -> None:
    """A wrong password is why the sink is not reached; a right one without permissions shows nothing of it."""
    sink = {"kafka": {"bootstrap_servers": [secured_kafka.scram], "topic": "orders"}}
    await ends.stream.write(generate(20, KEYS))
    stranger = secured_kafka.scram_auth("stranger")
    for password, told in (("wrong", "auth.scram"), (stranger["scram"]["password"], "Describe")):
        auth = {**stranger, "scram": {"username": "stranger", "password": password}}
        section = {"kafka": {**sink["kafka"], "auth": auth}}
        seen = await examined(MirrorProcess(ends.folder, ends.stream.section, section, ends.more).config)
        assert seen.those("failed") == ["reachability"]
        assert told in str(seen.of("reachability"))
        assert password not in str(seen.findings)
        assert seen.of("order")[0][0] == "ok"
