"""Recorded ends: kept as JSON, and meant for what their partitions become."""

import json

import pytest

from bridge.migration.measures.ends import of_all, read, written
from checkpoints.documents import LONGEST
from connectors.base import End, Partition


def test_what_is_written_is_read_as_it_was() -> None:
    """A cutover's document keeps them from machine to machine."""
    ends = {"0": End(position="41"), "1": End(position="-1"), "shard": End(time_ms=1_700_000_000_999)}
    assert read(json.loads(json.dumps(written(ends)))) == ends


@pytest.mark.parametrize("document", [{}, {"positions": {}}, {"positions": [], "times": {"soon": ["shard"]}}])
def test_what_is_no_end_is_refused(document: dict[str, object]) -> None:
    """A document that somebody changed by hand must not become a barrier that everything has passed."""
    with pytest.raises(ValueError, match="no ends"):
        read(document)


def test_the_ends_of_thousands_of_shards_are_short() -> None:
    """A document has room for those of a stream and of a topic, and for more."""
    shards = {f"shardId-{number:012d}": End(time_ms=1_700_000_000_999) for number in range(4_000)}
    topic = {str(number): End(position=str(10**12 + number)) for number in range(1_000)}
    assert sum(len(json.dumps(written(ends))) for ends in (shards, topic)) < LONGEST / 1.5


def test_children_end_when_their_parents_do() -> None:
    """What arrived in them by then is before the end, whichever of the two was a moment earlier; also grandchildren."""
    listed = [
        Partition("a"),
        Partition("b"),
        Partition("ab", ("a", "b")),
        Partition("ab1", ("ab",)),
        Partition("other", ("expired",)),
    ]
    ends = {"a": End(time_ms=5), "b": End(time_ms=5)}
    assert of_all(ends, listed) == {**ends, "ab": End(time_ms=5), "ab1": End(time_ms=5)}


def test_partitions_that_a_topic_got_since_lie_behind() -> None:
    """Nothing of them had arrived, so nothing of them is before the end."""
    assert of_all({"0": End(position="3")}, [Partition("0"), Partition("1")]) == {"0": End(position="3")}
