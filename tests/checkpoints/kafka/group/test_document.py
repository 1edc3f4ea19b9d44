"""A checkpoint as an offset and its metadata."""

import json
from dataclasses import replace

import pytest

from checkpoints.base import Checkpoint, Gap, StoreFormatError
from checkpoints.kafka.group.committer import CommittedOffset
from checkpoints.kafka.group.document import FORGOTTEN, LONGEST, decode, encode
from tests.contracts.checkpoint_store import checkpoint

PLACE = "of partition 0 in the offsets of group kmbridge-orders"


def nothing_but(position: str | None) -> Checkpoint:
    """What is known of an offset without metadata."""
    return Checkpoint(position, None, finished=False, saved_ms=0, source="", sink="")


def gaps(count: int, cause: str) -> tuple[Gap, ...]:
    return tuple(Gap(str(number), str(number + 1), cause, number) for number in range(count))


def size(committed: CommittedOffset) -> int:
    return len(committed.metadata.encode())


def again(saved: Checkpoint) -> Checkpoint:
    found = decode(encode(saved), PLACE)
    assert found is not None
    return found


@pytest.mark.parametrize(("position", "offset"), [(None, 0), ("0", 1), ("41", 42), (str(2**63 - 2), 2**63 - 1)])
def test_the_offset_is_that_of_the_next_record(position: str | None, offset: int) -> None:
    """So every Kafka tool shows the lag, and a group that is moved by one stands where it says."""
    assert encode(checkpoint(position)).offset == offset
    assert decode(CommittedOffset(offset), PLACE) == nothing_but(position)


def test_metadata_are_json_that_a_person_can_read() -> None:
    """With the version, and without what is not set."""
    metadata = json.loads(encode(Checkpoint("1", None, finished=False, saved_ms=5, source="a@1", sink="")).metadata)
    assert metadata == {"kmbridge": 1, "saved_ms": 5, "source": "a@1"}


@pytest.mark.parametrize("metadata", ["", "NONE", "{}", '{"version": 7}', "[1]", "null", "späť {"])
def test_metadata_of_other_tools_tell_nothing_and_are_no_error(metadata: str) -> None:
    """The offset is a checkpoint all the same."""
    assert decode(CommittedOffset(7, metadata), PLACE) == nothing_but("6")


def test_metadata_of_a_newer_version_are_refused_by_name() -> None:
    """What it means cannot be known."""
    with pytest.raises(StoreFormatError, match=rf"{PLACE}: written in format 2 by a newer version"):
        decode(CommittedOffset(7, '{"kmbridge": 2, "place": {}}'), PLACE)


def test_metadata_that_are_ours_and_spoilt_are_refused_by_name() -> None:
    """Gaps that cannot be read are not forgotten in silence."""
    with pytest.raises(StoreFormatError, match=r"kmbridge checkpoints set"):
        decode(CommittedOffset(7, '{"kmbridge": 1, "gaps": 5}'), PLACE)


def test_what_is_forgotten_is_no_checkpoint() -> None:
    """An offset cannot be deleted, and 0 would be a place to begin at."""
    assert decode(FORGOTTEN, PLACE) is None


def test_a_window_that_does_not_fit_is_left_out_first() -> None:
    """What is needed to go on stays."""
    full = replace(checkpoint("41", gaps=gaps(3, "trimmed")), unsettled_ms=9)
    assert again(replace(full, window="w" * 100)) == replace(full, window="w" * 100)
    long = replace(full, window="w" * 65_536)
    assert size(encode(long)) <= LONGEST
    assert again(long) == full


def test_the_causes_of_the_oldest_gaps_are_left_out_next() -> None:
    """What was lost is still told of every gap."""
    full = checkpoint("41", gaps=gaps(10, "c" * 400))
    assert size(encode(full)) <= LONGEST
    kept = again(full).gaps
    assert [(each.lost_from, each.lost_to) for each in kept] == [(each.lost_from, each.lost_to) for each in full.gaps]
    causes = [bool(each.cause) for each in kept]
    assert causes == sorted(causes)
    assert kept[-1] == full.gaps[-1]


def test_the_oldest_gaps_are_left_out_last() -> None:
    """However many there are, the newest are there, and all else."""
    full = replace(checkpoint("41", gaps=gaps(200, "trimmed")), unsettled_ms=9, window="w" * 5_000)
    assert size(encode(full)) <= LONGEST
    found = again(full)
    assert 0 < len(found.gaps) < 200
    assert [each.noticed_ms for each in found.gaps] == list(range(200 - len(found.gaps), 200))
    assert replace(found, gaps=()) == replace(full, gaps=(), window="")
