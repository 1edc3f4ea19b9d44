"""Which leases count, and with which a new application begins."""

import pytest

from bridge.migration.leases.lease import Lease, Processed, Sentinel, StreamIdentifier
from bridge.migration.translation.application import leases_of, new_leases, unresolved
from bridge.migration.translation.cut import Cut
from bridge.migration.translation.errors import UnknownPlaceError
from bridge.migration.translation.sighting import Sighting
from connectors.kinesis.shards import Shard

CREATED_S = 1_700_000_000
SHARD, CHILD = "shardId-000000000000", "shardId-000000000001"
LISTED = {SHARD: Shard(SHARD, (), 0, 99, closed=True), CHILD: Shard(CHILD, (SHARD,), 0, 99, closed=False)}


def lease(stream: StreamIdentifier | None, place: Processed | Sentinel) -> Lease:
    return Lease(f"{stream}:{SHARD}", SHARD, stream, place, 1)


def test_of_an_application_of_several_streams_those_of_this_one_count() -> None:
    """Also not those of a stream of the same name that there was before."""
    ours = lease(StreamIdentifier("123456789012", "orders", CREATED_S), Processed("1"))
    others = [
        lease(StreamIdentifier("123456789012", "payments", CREATED_S), Processed("2")),
        lease(StreamIdentifier("123456789012", "orders", CREATED_S - 1), Processed("3")),
    ]
    assert leases_of([ours, *others], "orders", CREATED_S, "app") == {SHARD: ours}
    with pytest.raises(UnknownPlaceError, match="none of stream orders as it is now"):
        leases_of(others, "orders", CREATED_S, "app")


def test_leases_that_tell_no_place_are_named() -> None:
    """LATEST and AT_TIMESTAMP have to be said by somebody; the beginning and the end say themselves."""
    places = {sentinel.value: lease(None, sentinel) for sentinel in Sentinel}
    assert unresolved(places) == ["AT_TIMESTAMP", "LATEST"]


def test_a_closed_shard_with_nothing_left_is_at_its_end() -> None:
    """Its children follow; an open one stands behind its last record, or at its beginning where there is none."""
    last = Sighting("42#3", b"key", 0, None)
    nothing = Cut(last, None, 0, None, None, 0)
    assert [each.checkpoint for each in new_leases({SHARD: nothing, CHILD: nothing}, LISTED)] == [
        Sentinel.SHARD_END,
        Processed("42", 3),
    ]
    empty = Cut(None, None, 0, None, None, 0)
    assert [each.checkpoint for each in new_leases({CHILD: empty}, LISTED)] == [Sentinel.TRIM_HORIZON]


def test_a_closed_shard_whose_children_were_not_read_is_not_at_its_end() -> None:
    """They came meanwhile: the application finds the end by itself, and them."""
    nothing = Cut(Sighting("42", b"key", 0, None), None, 0, None, None, 0)
    (only,) = new_leases({SHARD: nothing}, LISTED)
    assert (only.checkpoint, only.children) == (Processed("42"), ())
