"""Many mirrors in one process, against real servers."""

import asyncio
from pathlib import Path
from uuid import uuid4

import yaml

from bridge.migration.cutover.record import NAME
from checkpoints.sqlite.documents import SqliteDocuments
from tests.bridge.migration.cutover.test_cutover import STEPS, Migration
from tests.bridge.migration.cutover.world import World
from tests.support.checker import check_exact
from tests.support.ends import StreamEnd, TopicEnd
from tests.support.factories import StreamFactory, TopicFactory
from tests.support.kinesis_api import create_stream
from tests.support.mirror_process import MirrorProcess, Status
from tests.support.records import generate, ids_by_key

KEYS = 20


async def test_each_mirror_of_a_process_goes_its_own_way(
    kinesis: str, kafka: str, stream: StreamFactory, topic: TopicFactory, tmp_path: Path
) -> None:
    """Those that have a name and those of a pattern copy all; one without a topic is failed, and takes nobody along."""
    prefix = f"fleet-{uuid4().hex[:8]}"
    named = StreamEnd(kinesis, stream(2))
    matching = [StreamEnd(kinesis, f"{prefix}-{letter}") for letter in "ab"]
    for each in matching:
        create_stream(kinesis, each.name, 1)
    sinks = [TopicEnd(kafka, topic(2)), *(TopicEnd(kafka, f"from.{each.name}") for each in matching)]
    process = MirrorProcess(tmp_path, {}, {})
    mirrors = [
        {
            "name": "named",
            "source": named.section,
            "sink": sinks[0].section,
            "checkpoints": {"sqlite": {"path": str(tmp_path / "named.db")}},
            "cutover": {},
        },
        {"name": "lost", "source": named.section, "sink": TopicEnd(kafka, f"{prefix}-missing").section},
        {
            "name": "of-{stream}",
            "source": StreamEnd(kinesis, f"{prefix}-*").section,
            "sink": {"kafka": {"topic": "from.{stream}", "create_topic": {"partitions": 2}}},
        },
    ]
    defaults = {
        "sink": {"kafka": {"bootstrap_servers": [kafka]}},
        "checkpoints": {"kafka": {"topic": f"{prefix}-checkpoints", "slots": 4}},
        "http": {"listen": process.url.removeprefix("http://")},
        "log": {"format": "json"},
    }
    process.config.write_text(yaml.safe_dump({"defaults": defaults, "mirrors": mirrors}))
    ours = {"named", *(f"of-{each.name}" for each in matching)}

    def are_at_work(status: Status) -> bool:
        return states(status) == {**dict.fromkeys(ours, "running"), "lost": "failed"}

    await _begin_migration(tmp_path / "named.db", "named")
    async with process:
        await process.until(are_at_work, "three run and one has failed")
        await process.until(lambda status: migrating(status) == ["named"], "its migration is told")
        await asyncio.gather(*(each.write(generate(200, KEYS)) for each in (named, *matching)))
        for sink in sinks:
            await sink.until_arrived(200)
        assert are_at_work(await process.status())
        assert "the topic does not exist" in str(errors(await process.status())["lost"])
        await process.until(lambda status: totals(status) == {**dict.fromkeys(ours, 200), "lost": 0}, "all are told")
        assert await process.stop() == 0
    for sink in sinks:
        verdict = check_exact(ids_by_key(generate(200, KEYS)), await sink.ids_by_key())
        assert verdict.ok, verdict


async def _begin_migration(database: Path, mirror: str) -> None:
    """As if the first step of one had been taken."""
    migration = Migration(World())
    await migration.until(STEPS[0])
    saved = await migration.documents.load(NAME)
    assert saved is not None
    async with SqliteDocuments(database, mirror) as documents:
        await documents.save(NAME, saved.text, None)


def migrating(status: Status) -> list[str]:
    return [mirror["name"] for mirror in status["mirrors"] if mirror["cutover"] is not None]


def states(status: Status) -> dict[str, str]:
    return {each["name"]: each["state"] for each in status["mirrors"]}


def totals(status: Status) -> dict[str, int]:
    return {each["name"]: each["records_total"] for each in status["mirrors"]}


def errors(status: Status) -> dict[str, str | None]:
    return {each["name"]: each["error"] for each in status["mirrors"]}
