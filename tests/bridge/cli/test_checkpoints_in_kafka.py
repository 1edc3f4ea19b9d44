"""kmbridge checkpoints, where they are in a topic that workers share."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka.admin import AdminClient

from bridge.cli import checkpoints as command
from bridge.config import load
from bridge.keeping.stores import checkpoint_place
from checkpoints.base import Checkpoint, Gap
from checkpoints.kafka.fence import GroupFence
from checkpoints.kafka.slots import slot_of
from checkpoints.kafka.store import KafkaCheckpointReader
from checkpoints.kafka.topic import CheckpointTopic
from connectors.base import Clock
from connectors.kafka.transaction import generation_of
from tests.bridge.cli.called import Called, call
from tests.checkpoints.kafka.writing import OpenTransaction, named, store_in, until_known
from tests.support.factories import TopicFactory
from tests.support.group_member import member
from tests.support.kafka_reader import until_settled
from tests.support.topics import delete_topic

SLOTS = 4
FIRST, SECOND = "shardId-000000000000", "shardId-000000000001"
GAP = Gap("5", "9", "trimmed", 1)


class Kept:
    """A mirror's configuration, and its place in a topic. The mirror is named as the topic: its group is unique."""

    def __init__(self, folder: Path, kafka: str, topic: str) -> None:
        self.name = topic
        self.kafka = kafka
        self.config = folder / "o.yaml"
        self._write({"topic": topic, "slots": SLOTS})
        configured = checkpoint_place(load([str(self.config)], environment={}))
        assert configured is not None
        self.place: CheckpointTopic = configured

    def move_to(self, topic: str) -> None:
        self._write({"topic": topic, "slots": SLOTS})

    def _write(self, section: Mapping[str, Any]) -> None:
        document = {
            "name": self.name,
            "source": {"kinesis": {"stream": "orders", "region": "eu-west-1"}},
            "sink": {"kafka": {"bootstrap_servers": [self.kafka], "topic": "orders"}},
            "checkpoints": {"kafka": section},
        }
        self.config.write_text(yaml.safe_dump(document))

    async def save(self, checkpoints: Mapping[str, Checkpoint]) -> None:
        """As a worker did that is gone."""
        store, _ = store_in(self.place, GroupFence(self.place.connection), "gone", SLOTS)
        async with store:
            await store.save(checkpoints)
        await until_settled(self.kafka, self.place.topic)

    async def load(self) -> Mapping[str, Checkpoint]:
        return await KafkaCheckpointReader(self.place).load()


@pytest.fixture
def empty(tmp_path: Path, kafka: str, topic: TopicFactory) -> Kept:
    kept = Kept(tmp_path, kafka, topic(SLOTS, {"cleanup.policy": "compact"}))
    until_known(kept.place)
    return kept


@pytest.fixture
async def kept(empty: Kept) -> Kept:
    now_ms = Clock().now_ms()
    first = Checkpoint("4957#3", now_ms, finished=False, saved_ms=now_ms, source="s@1", sink="t@1", gaps=(GAP,))
    await empty.save({FIRST: first, SECOND: replace(first, position="5001", finished=True, gaps=())})
    return empty


async def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> Called:
    """What the command printed, and nothing that a worker of the test said before."""
    capsys.readouterr()
    return await asyncio.to_thread(call, capsys, "checkpoints", *arguments)


async def test_the_list_names_the_worker_of_each_slot(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """With its host; and the worker feels nothing of it: its group stays in the same generation."""
    async with member(kept.kafka, kept.name, "worker-a") as group:
        generation = generation_of(group.metadata())
        listed = await called(capsys, "list", kept.config, "--json")
        assert generation_of(group.metadata()) == generation
        lines = (await called(capsys, "list", kept.config)).out.splitlines()
    assert listed.code == 0
    rows = json.loads(listed.out)["checkpoints"]
    assert [(row["partition"], row["owner"], row["owner_host"]) for row in rows] == [
        (FIRST, "worker-a", "127.0.0.1"),
        (SECOND, "worker-a", "127.0.0.1"),
    ]
    assert 0 <= rows[0]["lag_seconds"] < 60
    assert rows[1]["lag_seconds"] == 0
    assert lines[1].split("\t")[6] == "worker-a at 127.0.0.1"


async def test_a_writer_that_is_gone_owns_nothing(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Whoever wrote a checkpoint is not its owner for that."""
    lines = (await called(capsys, "list", kept.config)).out.splitlines()
    assert [line.split("\t")[6] for line in lines[1:]] == ["-", "-"]


async def test_the_list_does_not_wait_long_for_what_a_dead_worker_left_open(
    capsys: pytest.CaptureFixture[str], kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which slots are held up, and by whom."""
    monkeypatch.setattr(command, "_PATIENCE_S", 0.2)
    hidden = {FIRST: (await kept.load())[FIRST]}
    await asyncio.to_thread(OpenTransaction, kept.place, "dead", slot_of(FIRST, SLOTS), hidden)
    listed = await called(capsys, "list", kept.config)
    assert listed.code == 1
    assert f"read slots {slot_of(FIRST, SLOTS)} of topic {kept.place.topic}" in listed.err
    assert named(kept.place, "dead") in listed.err


CHANGES = {"set": (FIRST, "5000"), "reset": ("--yes",)}


@pytest.mark.parametrize("change", CHANGES)
async def test_changes_beside_a_living_worker_are_refused(
    capsys: pytest.CaptureFixture[str], kept: Kept, change: str
) -> None:
    """Exit 1, with the worker's name and host, how long a dead one is taken for a living one, and the way out."""
    before = await kept.load()
    async with member(kept.kafka, kept.name, "worker-a") as group:
        generation = generation_of(group.metadata())
        refused = await called(capsys, change, kept.config, *CHANGES[change])
        assert generation_of(group.metadata()) == generation
    assert (refused.code, refused.out) == (1, "")
    assert "worker worker-a at 127.0.0.1 is alive: seen within its session of 6 s" in refused.err
    assert "if it is gone, try again in 6 s; or see --force" in refused.err
    assert await kept.load() == before


@pytest.mark.parametrize("change", CHANGES)
async def test_changes_beside_a_living_worker_can_be_forced(
    capsys: pytest.CaptureFixture[str], kept: Kept, change: str
) -> None:
    """The log names the worker, which will overwrite them; the old position is told as ever."""
    async with member(kept.kafka, kept.name, "worker-a") as group:
        generation = generation_of(group.metadata())
        forced = await called(capsys, change, kept.config, *CHANGES[change], "--force")
        assert generation_of(group.metadata()) == generation
    assert forced.code == 0
    assert f"{FIRST}: 4957#3 -> " in forced.out
    assert "worker-a" in forced.err
    assert "overwrites" in forced.err
    await until_settled(kept.kafka, kept.place.topic)
    assert FIRST not in (found := await kept.load()) or found[FIRST].position == "5000"


async def test_set_moves_one_partition_of_a_stopped_mirror(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Its gaps and the identities of the ends stay, and nobody is left in the group behind it."""
    moved = await called(capsys, "set", kept.config, FIRST, "5000")
    assert (moved.code, moved.out) == (0, f"{FIRST}: 4957#3 -> 5000\n")
    assert "4957#3" in moved.err
    await until_settled(kept.kafka, kept.place.topic)
    changed = (await kept.load())[FIRST]
    assert (changed.position, changed.watermark_ms, changed.source, changed.gaps) == ("5000", None, "s@1", (GAP,))
    again = await called(capsys, "set", kept.config, FIRST, "6000")
    assert again.out == f"{FIRST}: 5000 -> 6000\n"


async def test_reset_forgets_where_a_stopped_mirror_stood(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Positions are printed; the gaps, known nowhere else, are in the log."""
    reset = await called(capsys, "reset", kept.config, "--yes")
    assert reset.code == 0
    assert reset.out == f"{FIRST}: 4957#3 -> forgotten\n{SECOND}: 5001 -> forgotten\n"
    assert "trimmed" in reset.err
    await until_settled(kept.kafka, kept.place.topic)
    assert await kept.load() == {}


async def test_nothing_a_dead_worker_left_open_comes_after_a_change(
    capsys: pytest.CaptureFixture[str], kept: Kept
) -> None:
    """Its transaction is ended first, and what it had not committed is never seen."""
    left = {FIRST: replace((await kept.load())[FIRST], position="9999")}
    await asyncio.to_thread(OpenTransaction, kept.place, "dead", slot_of(FIRST, SLOTS), left)
    moved = await called(capsys, "set", kept.config, FIRST, "5000")
    assert (moved.code, moved.out) == (0, f"{FIRST}: 4957#3 -> 5000\n")
    await until_settled(kept.kafka, kept.place.topic)
    assert (await kept.load())[FIRST].position == "5000"


def test_a_topic_that_is_missing_is_only_made_for_a_new_checkpoint(
    capsys: pytest.CaptureFixture[str], empty: Kept, kafka: str
) -> None:
    """Looking and forgetting leave no trace."""
    missing = f"{empty.name}-missing"
    empty.move_to(missing)
    listed = call(capsys, "checkpoints", "list", empty.config)
    assert (listed.code, f"in topic {missing} at {kafka}" in listed.err) == (0, True)
    reset = call(capsys, "checkpoints", "reset", empty.config)
    assert (reset.code, "nothing to forget" in reset.out) == (0, True)
    assert call(capsys, "checkpoints", "set", empty.config, FIRST, "5000").code == 1
    assert missing not in AdminClient({"bootstrap.servers": kafka}).list_topics(timeout=10).topics
    try:
        made = call(capsys, "checkpoints", "set", empty.config, FIRST, "5000", "--new")
        assert (made.code, made.out) == (0, f"{FIRST}: nothing -> 5000\n")
    finally:
        delete_topic(kafka, missing)
