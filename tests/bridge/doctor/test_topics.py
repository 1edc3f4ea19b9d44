"""What is found at topics, of data and of checkpoints."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin._acl import AclOperation

from bridge.doctor.checks.checkpoints import Checkpoints
from bridge.doctor.checks.files import DeadLetterFile
from bridge.doctor.checks.permissions import CheckpointPermissions, Permissions
from bridge.doctor.checks.topics import SinkTopic
from bridge.doctor.examination import examined
from bridge.doctor.scene import Kept, Role, TopicEnd
from bridge.findings import Severity
from checkpoints.base import StoreRefusedError
from tests.bridge.doctor.scenes import description, findings, found, raising, scene, severities, stream, topic

READER, WRITER = frozenset({AclOperation.READ}), frozenset({AclOperation.WRITE})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"cleanup.policy": "compact"}, "cleanup.policy=compact"),
        ({"cleanup.policy": "compact,delete"}, "cleanup.policy=compact,delete"),
        ({"retention.ms": "3600000"}, "1:00:00"),
        ({"retention.bytes": "1000"}, "retention.bytes=1000"),
        ({"min.insync.replicas": "1"}, "min.insync.replicas=1"),
        ({"min.insync.replicas": "3"}, "min.insync.replicas=3"),
        ({"unclean.leader.election.enable": "true"}, "unclean.leader.election.enable"),
        ({"message.timestamp.type": "LogAppendTime"}, "LogAppendTime"),
        ({"message.timestamp.before.max.ms": "3600000"}, "1:00:00"),
    ],
)
async def test_settings_that_may_surprise_are_warnings(settings: Mapping[str, str], words: str) -> None:
    """Each names the setting as it is, what comes of it, and what to set."""
    one = await found(SinkTopic(), scene(sink=topic(settings=settings)))
    assert (one.severity, words in one.found, bool(one.remedy)) == (Severity.WARNING, True, True)


async def test_a_topic_that_can_acknowledge_nothing_fails() -> None:
    """Some of its partitions have no leader."""
    leaderless = await found(SinkTopic(), scene(sink=topic(leaderless=[1, 3])))
    assert (leaderless.severity, "partitions 1, 3" in leaderless.found) == (Severity.FAILED, True)


@pytest.mark.parametrize("replicas", [1, 2])
async def test_fewer_replicas_than_have_to_be_in_sync_are_a_warning(replicas: int) -> None:
    """Also where there is but one. Kafka 4 takes what older brokers refuse, and nobody tells which they are."""
    end = topic(replicas=replicas, settings={"min.insync.replicas": "3"})
    told = [each for each in await findings(SinkTopic(), scene(sink=end)) if "min.insync.replicas=3" in each.found]
    assert [each.severity for each in told] == [Severity.WARNING]


@pytest.mark.parametrize("end", [topic(replicas=1, settings={"min.insync.replicas": "1"}), topic(in_sync=2)])
async def test_few_replicas_are_a_warning(end: TopicEnd) -> None:
    """One disk, or a broker that is away."""
    assert (await found(SinkTopic(), scene(sink=end))).severity is Severity.WARNING


async def test_what_brokers_do_not_tell_is_skipped() -> None:
    """Without the right to see its settings nothing is wrong with them."""
    hidden = topic()
    bare = type(hidden)(type(hidden.topic)("orders", "id", "c", hidden.topic.partitions, {}, None), hidden.sample)
    one = await found(SinkTopic(), scene(sink=bare))
    assert one.severity is Severity.SKIPPED
    assert {each.severity for each in await findings(Permissions(Role.SINK), scene(sink=bare))} == {Severity.SKIPPED}


async def test_a_missing_right_to_write_fails() -> None:
    """The brokers tell it, without a record."""
    one = await found(Permissions(Role.SINK), scene(sink=topic(allowed=READER)))
    assert (one.severity, one.remedy.startswith("grant Write")) == (Severity.FAILED, True)


async def test_a_dead_letter_is_looked_at_too() -> None:
    """Nobody sees that it cannot be written before the first bad record."""
    letter = topic(allowed=READER, name="letters")
    one = await found(Permissions(Role.DEAD_LETTER), scene(dead_letter=letter))
    assert (one.severity, "letters" in one.found) == (Severity.FAILED, True)


async def test_the_checkpoint_topic_needs_both_rights() -> None:
    """And the mirror's transactional ids too, which is tried."""
    kept = Kept("topic c", {}, topic=description(allowed=WRITER))
    one = await found(CheckpointPermissions(), scene(kept=kept))
    assert (one.severity, "cannot be read" in one.found) == (Severity.FAILED, True)
    refused = StoreRefusedError("begin transactions", "not authorized", "grant Describe and Write on the ids")
    kept = Kept("topic c", {}, topic=description(), begin_transaction=raising(refused))
    one = await found(CheckpointPermissions(), scene(kept=kept))
    assert (one.severity, one.remedy) == (Severity.FAILED, "grant Describe and Write on the ids")


@pytest.mark.parametrize(
    ("settings", "more", "severity"),
    [
        ({"cleanup.policy": "delete"}, {}, Severity.FAILED),
        ({"cleanup.policy": "compact", "unclean.leader.election.enable": "true"}, {}, Severity.WARNING),
        ({"cleanup.policy": "compact"}, {"replicas": 1}, Severity.WARNING),
        ({"cleanup.policy": "compact"}, {"partitions": 8}, Severity.FAILED),
    ],
)
async def test_a_checkpoint_topic_that_forgets_is_found(
    settings: Mapping[str, str], more: Mapping[str, int], severity: Severity
) -> None:
    """Not compacted, of other slots than asked for, or lost with a disk or a leader."""
    there = description(more.get("partitions", 64), replicas=more.get("replicas", 3), settings=settings)
    kept = Kept("topic c", {}, topic=there)
    one = await found(Checkpoints(), scene(kept=kept, asked={"checkpoints": {"kafka": {"slots": 64}}}))
    assert one.severity is severity


async def test_checkpoints_in_memory_are_a_warning() -> None:
    """The next process begins anew."""
    here = scene(kept=Kept("memory", {}), asked={"checkpoints": "memory"})
    assert (await found(Checkpoints(), here)).severity is Severity.WARNING


async def test_a_file_that_cannot_be_written_fails() -> None:
    """Its folder is not there."""
    asked = {"checkpoints": {"sqlite": {"path": "/nowhere/at/all.db"}}}
    assert (await found(Checkpoints(), scene(kept=Kept("a file", {}), asked=asked))).severity is Severity.FAILED


async def test_checkpoints_that_are_kept_elsewhere_are_well(tmp_path: Path) -> None:
    """In a file that can be written, and in a group's offsets."""
    asked = {"checkpoints": {"sqlite": {"path": str(tmp_path / "all.db")}}}
    assert await severities(Checkpoints(), scene(kept=Kept("a file", {}), asked=asked)) == {"ok": 1}
    grouped = await examined(scene(topic(), stream(), kept=Kept("group kmbridge-orders", {})), [Checkpoints()])
    assert [each.found for each in grouped] == ["group kmbridge-orders has 0 checkpoints"]


async def test_a_dead_letter_file_is_looked_at_too(tmp_path: Path) -> None:
    """It is made with the first bad record, if its folder is there."""
    asked: dict[str, Any] = {"on_error": "dead_letter", "dead_letter": {"file": {"path": "/nowhere/at/all.jsonl"}}}
    assert (await found(DeadLetterFile(), scene(asked=asked))).severity is Severity.FAILED
    asked["dead_letter"] = {"file": {"path": str(tmp_path / "letters.jsonl")}}
    assert await severities(DeadLetterFile(), scene(asked=asked)) == {"ok": 1}


async def test_a_topic_that_is_still_to_be_made_is_fine() -> None:
    """The mirror makes it as it needs it."""
    assert await severities(Checkpoints(), scene()) == {"ok": 1}
