"""kmbridge checkpoints, where they are the offsets of the source topic's own group."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from bridge.config import load
from bridge.coordination.kafka_group import KafkaGroup
from bridge.keeping.changing import changeable
from bridge.keeping.stores import checkpoint_reader
from bridge.keeping.worker import kept_by
from checkpoints.base import Checkpoint, Gap
from checkpoints.kafka.group.committer import ConsumerGroup
from checkpoints.kafka.group.store import GroupCheckpoints
from connectors.base import Clock
from connectors.kafka.transaction import generation_of
from tests.bridge.cli.called import Called, call
from tests.checkpoints.kafka.group.grouping import reset_offsets
from tests.support.factories import TopicFactory
from tests.support.group_member import member
from tests.support.topics import until_known

PARTITIONS = 4
GAP = Gap("5", "9", "truncated", 1)


class Kept:
    """A mirror's configuration, and its group. The mirror is named as its topic, so that the group is unique."""

    def __init__(self, folder: Path, kafka: str, topic: str) -> None:
        self.kafka = kafka
        self.topic = topic
        self.config = folder / "o.yaml"
        document = {
            "name": topic,
            "source": {"kafka": {"bootstrap_servers": [kafka], "topic": topic}},
            "sink": {"kinesis": {"stream": "orders", "region": "eu-west-1"}},
        }
        self.config.write_text(yaml.safe_dump(document))
        self.configuration = load([str(self.config)], environment={})

    async def load(self) -> Mapping[str, Checkpoint]:
        return await checkpoint_reader(self.configuration).load()


@pytest.fixture
async def kept(tmp_path: Path, kafka: str, topic: TopicFactory) -> Kept:
    kept = await asyncio.to_thread(Kept, tmp_path, kafka, topic(PARTITIONS))
    await asyncio.to_thread(until_known, kafka, kept.topic, PARTITIONS)
    now_ms = Clock().now_ms()
    first = Checkpoint("41", now_ms, finished=False, saved_ms=now_ms, source="t@1", sink="s@1", gaps=(GAP,))
    async with changeable(kept.configuration, create=True, force=False) as store:
        await store.save({"0": first, "2": Checkpoint(None, None, finished=False, saved_ms=now_ms, source="", sink="")})
    return kept


async def called(capsys: pytest.CaptureFixture[str], *arguments: object) -> Called:
    """What the command printed, and nothing that a worker of the test said before."""
    capsys.readouterr()
    return await asyncio.to_thread(call, capsys, "checkpoints", *arguments)


async def test_a_worker_of_such_a_mirror_commits_as_a_member_of_the_group(kept: Kept) -> None:
    """The store that it enters saves by the coordinator that it runs."""
    keeping = kept_by(kept.configuration, Clock(), 0)
    assert isinstance(keeping.store, GroupCheckpoints)
    assert isinstance(keeping.coordinator, KafkaGroup)
    assert (keeping.transactional, keeping.writer) == (None, None)


async def test_the_list_names_the_worker_of_each_partition(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """With its host; and the worker feels nothing of it: its group stays in the same generation."""
    async with member(kept.kafka, kept.topic, "worker-a") as group:
        generation = generation_of(group.metadata())
        listed = await called(capsys, "list", kept.config, "--json")
        assert generation_of(group.metadata()) == generation
    assert listed.code == 0
    rows = json.loads(listed.out)["checkpoints"]
    assert [(row["partition"], row["position"], row["owner"], row["owner_host"]) for row in rows] == [
        ("0", "41", "worker-a", "127.0.0.1"),
        ("2", None, "worker-a", "127.0.0.1"),
    ]


async def test_an_offset_of_another_tool_is_listed_as_far_as_it_is_known(
    capsys: pytest.CaptureFixture[str], kept: Kept
) -> None:
    """Its place, and neither when it was saved nor by whom."""
    await reset_offsets(
        ConsumerGroup({"bootstrap.servers": kept.kafka}, f"kmbridge-{kept.topic}", kept.topic), [(1, 7)]
    )
    lines = (await called(capsys, "list", kept.config)).out.splitlines()
    assert lines[2].split("\t")[:4] == ["1", "6", "-", "-"]


CHANGES = {"set": ("0", "5000"), "reset": ("--yes",)}


@pytest.mark.parametrize("force", [(), ("--force",)], ids=["", "forced"])
@pytest.mark.parametrize("change", CHANGES)
async def test_changes_beside_a_living_worker_are_refused(
    capsys: pytest.CaptureFixture[str], kept: Kept, change: str, force: tuple[str, ...]
) -> None:
    """Also by force, for brokers take them from nobody then: exit 1, with the worker's name and host."""
    before = await kept.load()
    async with member(kept.kafka, kept.topic, "worker-a") as group:
        generation = generation_of(group.metadata())
        refused = await called(capsys, change, kept.config, *CHANGES[change], *force)
        assert generation_of(group.metadata()) == generation
    assert (refused.code, refused.out) == (1, "")
    assert "worker worker-a at 127.0.0.1 is alive: seen within its session of 6 s" in refused.err
    assert "if it is gone, try again in 6 s" in refused.err
    assert "--force" not in refused.err
    assert await kept.load() == before


async def test_set_moves_one_partition_of_a_stopped_mirror(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Its gaps and the identities of the ends stay."""
    moved = await called(capsys, "set", kept.config, "0", "5000")
    assert (moved.code, moved.out) == (0, "0: 41 -> 5000\n")
    changed = (await kept.load())["0"]
    assert (changed.position, changed.watermark_ms, changed.source, changed.gaps) == ("5000", None, "t@1", (GAP,))


async def test_set_makes_a_checkpoint_where_there_is_none(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Where that is accepted, and the topic has such a partition."""
    assert (await called(capsys, "set", kept.config, "3", "7")).code == 1
    made = await called(capsys, "set", kept.config, "3", "7", "--new")
    assert (made.code, made.out) == (0, "3: nothing -> 7\n")
    assert (await kept.load())["3"].position == "7"
    missing = await called(capsys, "set", kept.config, "9", "7", "--new")
    assert missing.code == 1
    assert f"check that topic {kept.topic} is there, and has these partitions" in missing.err


@pytest.mark.parametrize(
    ("partition", "position"), [("shardId-1", "7"), ("0", "4957#3"), ("0", "-1"), ("0", str(2**63 - 1))]
)
async def test_what_is_no_partition_or_no_offset_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], kept: Kept, partition: str, position: str
) -> None:
    """Exit 2, before anything is asked of the cluster."""
    refused = await called(capsys, "set", kept.config, "--new", "--", partition, position)
    assert refused.code == 2


async def test_reset_forgets_where_a_stopped_mirror_stood(capsys: pytest.CaptureFixture[str], kept: Kept) -> None:
    """Positions are printed; the gaps, known nowhere else, are in the log."""
    reset = await called(capsys, "reset", kept.config, "--yes")
    assert (reset.code, reset.out) == (0, "0: 41 -> forgotten\n2: beginning -> forgotten\n")
    assert "truncated" in reset.err
    assert await kept.load() == {}
    again = await called(capsys, "reset", kept.config, "--yes")
    assert f"in group kmbridge-{kept.topic} of topic {kept.topic} at {kept.kafka}: nothing to forget" in again.out
