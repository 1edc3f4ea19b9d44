"""Who may start, and from when a child knows of itself."""

from bridge.engine.lineage import beginning, startable
from connectors.base import Partition, Place

_MERGED = Partition("c", ("a", "b"))


def test_a_merged_partition_waits_for_both_parents() -> None:
    """One unfinished parent holds it; one that has expired does not."""
    assert startable([_MERGED], {"b"}) == []
    assert startable([_MERGED], {"d"}) == [_MERGED]


def test_a_child_begins_at_the_earlier_of_its_parents_ends() -> None:
    """The watermark holds for the records of both parents' keys."""
    assert beginning(_MERGED, {"a": Place("7", 200), "b": Place("9", 100)}) == Place(None, 100)


def test_nothing_is_claimed_where_a_parent_has_no_watermark() -> None:
    """An unknown parent is left out; one that is known but never had a watermark makes the child's unknown."""
    assert beginning(_MERGED, {"b": Place("9", 100)}) == Place(None, 100)
    assert beginning(_MERGED, {"a": Place("7", 200), "b": Place()}) == Place()
    assert beginning(Partition("root"), {"a": Place("7", 200)}) == Place()
