"""What the checkpoints show: what expires, what they were made with, and who works on them."""

import pytest

from bridge.coordination.members import Member
from bridge.doctor.checks.conflicts import Conflicts
from bridge.doctor.checks.identity import Identity
from bridge.doctor.checks.retention import Expiry, Retention
from bridge.doctor.scene import Kept
from bridge.findings import Severity
from bridge.keeping.owners import Holder
from connectors.base import Place
from tests.bridge.doctor.scenes import (
    DAY_MS,
    HOUR_MS,
    NOW_MS,
    checkpoint,
    findings,
    found,
    sample,
    scene,
    severities,
    stream,
    topic,
)


def _kept(**more: object) -> Kept:
    return Kept("somewhere", {"0": checkpoint(**more)})


@pytest.mark.parametrize(
    ("behind_ms", "severity", "left"),
    [(60 * HOUR_MS, Severity.WARNING, "12 h"), (4 * DAY_MS, Severity.FAILED, "may be gone")],
)
async def test_a_checkpoint_that_is_about_to_expire_is_told(behind_ms: int, severity: Severity, left: str) -> None:
    """With what is left of the source's retention."""
    one = await found(Expiry(), scene(kept=_kept(watermark_ms=NOW_MS - behind_ms)))
    assert (one.severity, left in one.reason) == (severity, True)


async def test_a_finished_shard_expires_unmissed() -> None:
    """All of it is mirrored."""
    assert await severities(Expiry(), scene(kept=_kept(watermark_ms=1, finished=True))) == {}


async def test_offsets_that_are_gone_fail() -> None:
    """A topic tells where it begins."""
    source = topic(sample(oldest={"0": Place("7")}))
    [one] = await findings(Expiry(), scene(source, stream(), kept=_kept(position="5")))
    assert (one.severity, "partition 0 at 5" in one.found) == (Severity.FAILED, True)
    assert set(await severities(Expiry(), scene(source, stream(), kept=_kept(position="7")))) == {"ok"}


async def test_an_idle_topic_has_lost_nothing() -> None:
    """Its offsets tell, however long ago it was looked at; a warning comes while there is still time."""
    source = topic(sample(oldest={"0": Place("5")}))
    stopped = _kept(position="5", watermark_ms=NOW_MS - 30 * DAY_MS)
    assert await severities(Expiry(), scene(source, stream(), kept=stopped)) == {"ok": 1}
    late = _kept(position="5", watermark_ms=NOW_MS - 6 * DAY_MS)
    assert await severities(Expiry(), scene(source, stream(), kept=late)) == {"warning": 1}


async def test_checkpoints_of_another_stream_expire_unmissed() -> None:
    """They tell nothing of this one, and another check names them."""
    assert await severities(Expiry(), scene(kept=_kept(source="another", watermark_ms=1))) == {}


async def test_a_changed_partition_count_fails() -> None:
    """The checkpoints were made with fewer: keys would move. What goes on there is named before a new beginning."""
    one = await found(Identity(), scene(kept=_kept(sink="an-id with 3 partitions")))
    assert (one.severity, "with 3 partitions" in one.found, "with 4" in one.reason) == (Severity.FAILED, True, True)
    assert one.remedy.startswith("kmbridge checkpoints accept")


async def test_a_recreated_stream_fails() -> None:
    """Its positions mean nothing in the new one."""
    assert (await found(Identity(), scene(kept=_kept(source="another stream")))).severity is Severity.FAILED


async def test_a_sink_that_keeps_less_than_the_source_is_a_warning() -> None:
    """A backfill copies what is gone again soon."""
    one = await found(Retention(), scene(sink=topic(settings={"retention.ms": str(DAY_MS)})))
    assert (one.severity, "24 h" in one.found) == (Severity.WARNING, True)


async def test_a_source_that_keeps_little_is_a_warning() -> None:
    """A day is what streams have by default."""
    assert (await found(Retention(), scene(stream(retention_ms=DAY_MS)))).severity is Severity.WARNING


async def test_another_process_under_the_name_is_a_warning() -> None:
    """Where one worker alone can have the checkpoints."""
    one = await found(Conflicts(), scene(kept=Kept("a file", {}, holders=[Holder("process 7")])))
    assert (one.severity, "process 7" in one.found) == (Severity.WARNING, True)


async def test_workers_that_share_are_no_conflict() -> None:
    """A mirror that runs is how it should be."""
    members = [Member("kmbridge-orders-a", "10.0.0.1", frozenset({1}))]
    assert await severities(Conflicts(), scene(kept=Kept("a topic", {}, members=members))) == {"ok": 1}


async def test_workers_that_own_nothing_here_are_a_warning() -> None:
    """They may mirror something else under the same name."""
    members = [Member("kmbridge-orders-a", "10.0.0.1", frozenset())]
    one = await found(Conflicts(), scene(kept=Kept("a topic", {}, members=members)))
    assert (one.severity, "kmbridge-orders-a" in one.found) == (Severity.WARNING, True)
