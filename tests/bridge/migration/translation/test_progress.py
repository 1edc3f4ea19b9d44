"""What a KCL application, or a group, has processed, told from what it has stored."""

import pytest

from bridge.migration.leases.lease import Processed, Sentinel
from bridge.migration.translation.progress import ApplicationProgress, Before, Extent, GroupProgress
from connectors.base import Partition

PARENT, LEFT, RIGHT, LATER = (Partition(f"shardId-{number:012}") for number in range(4))
FAMILY = (
    PARENT,
    Partition(LEFT.id, (PARENT.id,)),
    Partition(RIGHT.id, (PARENT.id,)),
    Partition(LATER.id, (LEFT.id, RIGHT.id)),
)


@pytest.mark.parametrize(
    ("position", "is_processed"),
    [("99", True), ("99#7", True), ("100#0", True), ("100#3", True), ("100#4", False), ("100", True), ("101", False)],
)
def test_a_checkpoint_is_inclusive_and_may_lie_inside_an_aggregate(position: str, is_processed: bool) -> None:  # noqa: FBT001
    """Numbers inside of an aggregate count from 0, and a record that is none is number 0 of itself."""
    progress = ApplicationProgress({PARENT.id: Processed("100", 3)}, FAMILY)
    assert progress.has_processed(PARENT.id, position) is is_processed


@pytest.mark.parametrize(
    ("position", "is_processed"), [("99", True), ("100#2", True), ("100#3", False), ("100#4", False)]
)
def test_what_comes_before_a_record_is_processed_and_the_record_is_not(position: str, is_processed: bool) -> None:  # noqa: FBT001
    """So a lease counts that reads from a time on."""
    progress = ApplicationProgress({PARENT.id: Before("100#3")}, FAMILY)
    assert progress.has_processed(PARENT.id, position) is is_processed


def test_a_finished_lease_that_was_deleted_is_all_processed() -> None:
    """KCL deletes it once its children have begun."""
    progress = ApplicationProgress({LATER.id: Processed("100")}, FAMILY)
    assert [progress.extent(shard.id) for shard in FAMILY] == [Extent.ALL, Extent.ALL, Extent.ALL, Extent.SOME]


def test_a_shard_that_the_application_has_not_discovered_is_unread() -> None:
    """A child whose parent is still being read has no lease, or one at the beginning."""
    progress = ApplicationProgress({PARENT.id: Processed("100"), LEFT.id: Sentinel.TRIM_HORIZON}, FAMILY)
    assert [progress.extent(shard.id) for shard in FAMILY] == [Extent.SOME, Extent.NONE, Extent.NONE, Extent.NONE]


def test_a_shard_that_has_expired_without_a_lease_holds_nothing_to_read() -> None:
    """Whoever had it has processed it, or can no more."""
    progress = ApplicationProgress({LATER.id: Processed("100")}, FAMILY)
    assert progress.has_processed("shardId-000000000099", "1")


def test_a_group_has_processed_what_lies_before_its_offsets() -> None:
    """A partition without an offset counts as unread."""
    progress = GroupProgress({"0": 7, "1": 0})
    assert [progress.has_processed("0", position) for position in ("6", "7")] == [True, False]
    assert [progress.extent(partition) for partition in ("0", "1", "2")] == [Extent.SOME, Extent.NONE, Extent.NONE]
