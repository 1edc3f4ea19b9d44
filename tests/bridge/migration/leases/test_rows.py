"""What every version of KCL writes is read right, and what none of them writes is named."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.migration.leases.lease import (
    HashRange,
    Lease,
    LeaseCheckpoint,
    NewLease,
    Processed,
    Sentinel,
    StreamIdentifier,
)
from bridge.migration.leases.rows import MalformedLeaseError, OtherRow, item, parsed
from bridge.migration.leases.table import lease_table
from tests.bridge.migration.leases.tables import (
    OTHERS_35,
    SEQUENCE,
    SHARDS,
    Row,
    multi_stream,
    row_1x,
    row_2x,
    row_3x,
    row_35,
)

TABLE = lease_table("app")
WHOLE = HashRange(0, 2**128 - 1)


def lease(row: Row) -> Lease:
    found = parsed(row, TABLE)
    assert isinstance(found, Lease)
    return found


@pytest.mark.parametrize(("row", "hashes"), [(row_1x(), None), (row_2x(), WHOLE), (row_3x(), WHOLE), (row_35(), WHOLE)])
def test_a_lease_of_each_version_says_where_its_worker_is(row: Row, hashes: HashRange | None) -> None:
    """Attributes that only some versions write, and those nobody knows yet, are in nobody's way."""
    for changed in (row, {**row, "ofALaterVersion": {"BOOL": True}}):
        assert lease(changed) == Lease(
            key=SHARDS[0],
            shard=SHARDS[0],
            stream=None,
            checkpoint=Processed(SEQUENCE, 0),
            counter=17,
            owner="worker-1",
            hashes=hashes,
        )


def test_a_checkpoint_inside_an_aggregate_keeps_its_place_there() -> None:
    """The text is a position in the shard, behind that user record."""
    found = lease(row_2x(checkpointSubSequenceNumber={"N": "41"}))
    assert found.checkpoint == Processed(SEQUENCE, 41)
    assert str(found.checkpoint) == f"{SEQUENCE}#41"


@pytest.mark.parametrize("sentinel", Sentinel)
def test_a_checkpoint_that_is_no_record_is_a_sentinel(sentinel: Sentinel) -> None:
    """None of them is ever taken for a place."""
    assert lease(row_2x(checkpoint={"S": sentinel.value})).checkpoint is sentinel


def test_a_lease_that_was_given_back_has_no_owner() -> None:
    """An attribute that is missing is what KCL leaves behind."""
    row = row_3x()
    del row["leaseOwner"]
    assert lease(row).owner is None
    assert lease(row).workers == ()


def test_lineage_is_read_from_sets_with_singular_names() -> None:
    """A merged shard has two parents in an attribute that is called parentShardId."""
    found = lease(row_2x(parentShardId={"SS": [SHARDS[2], SHARDS[1]]}, childShardIds={"SS": [SHARDS[3]]}))
    assert found.parents == (SHARDS[1], SHARDS[2])
    assert found.children == (SHARDS[3],)


def test_a_prepared_checkpoint_is_not_the_checkpoint() -> None:
    """The first phase of two says nothing about what is processed."""
    found = lease(row_2x(pendingCheckpoint={"S": "77"}, pendingCheckpointSubSequenceNumber={"N": "3"}))
    assert found.checkpoint == Processed(SEQUENCE, 0)
    assert found.pending == Processed("77", 3)
    assert lease(row_2x(pendingCheckpoint={"S": ""})).pending is None


def test_a_hand_over_names_both_workers() -> None:
    """The one that still checkpoints comes before the one that will."""
    found = lease(row_3x(checkpointOwner={"S": "worker-0"}))
    assert (found.checkpoint_owner, found.owner) == ("worker-0", "worker-1")
    assert found.workers == ("worker-0", "worker-1")


@pytest.mark.parametrize("make", [row_2x, row_3x, row_35])
def test_a_lease_of_several_streams_names_its_own(make: Any) -> None:
    """Two streams may have shards of the same id."""
    found = lease(multi_stream(make(), "123456789012:orders.v2:1764000000"))
    assert found.stream == StreamIdentifier("123456789012", "orders.v2", 1764000000)
    assert found.shard == SHARDS[0]
    assert found.key == f"{found.stream}:{SHARDS[0]}"


@pytest.mark.parametrize("row", OTHERS_35, ids=lambda row: str(row["entityType"]["S"]))
def test_a_row_of_another_kind_is_no_lease(row: Row) -> None:
    """KCL 3.5 keeps its own affairs in the same table, and later versions may keep more."""
    assert parsed(row, TABLE) == OtherRow(row["leaseKey"]["S"], row["entityType"]["S"], row)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"checkpoint": {"S": "TRIMHORIZON"}}, r"checkpoint 'TRIMHORIZON'.*no sequence number"),
        ({"checkpoint": {"S": "-5"}}, r"checkpoint '-5'"),
        ({"checkpoint": {"S": "١٢"}}, r"no sequence number"),
        ({"checkpoint": {"N": "5"}}, r"\$\.checkpoint"),
        ({"checkpointSubSequenceNumber": {"N": "-2"}}, r"-2 is below"),
        ({"checkpointSubSequenceNumber": {"N": "1.5"}}, r"\$\.checkpointSubSequenceNumber"),
        ({"leaseCounter": {"S": "17"}}, r"\$\.leaseCounter"),
        ({"parentShardId": {"S": SHARDS[1]}}, r"\$\.parentShardId"),
        ({"pendingCheckpoint": {"S": "x"}}, r"checkpoint 'x'"),
        ({"startingHashKey": {"S": "9"}, "endingHashKey": {"S": "8"}}, r"9 to 8 is no range"),
        ({"startingHashKey": {"S": "zero"}}, r"startingHashKey 'zero'"),
        ({"leaseKey": {"S": "orders:shardId-000000000000"}}, r"neither SHARD nor ACCOUNT:STREAM:CREATION:SHARD"),
    ],
)
def test_a_malformed_row_is_named_with_what_is_wrong_in_it(changes: Row, told: str) -> None:
    """Nothing is guessed: a place that is not understood would be a place that is lost."""
    row = row_2x() | changes
    with pytest.raises(MalformedLeaseError, match=told) as error:
        parsed(row, TABLE)
    assert row["leaseKey"]["S"] in str(error.value)
    assert "table app" in str(error.value)


@pytest.mark.parametrize("missing", ["leaseCounter", "checkpoint"])
def test_a_row_without_what_every_version_writes_is_malformed(missing: str) -> None:
    """A lease without a place, or without a heartbeat, is no lease."""
    row = row_2x()
    del row[missing]
    with pytest.raises(MalformedLeaseError, match=missing):
        parsed(row, TABLE)


def test_a_row_of_another_table_is_named_by_what_it_has() -> None:
    """The tables beside the lease table are easily taken for it: APP-CoordinatorState, APP-WorkerMetricStats."""
    with pytest.raises(MalformedLeaseError, match=r"the row with lut, wid.*leaseKey.*the application's name"):
        parsed({"wid": {"S": "worker-1"}, "lut": {"N": "1764000000"}}, TABLE)


checkpoints = st.builds(Processed, st.integers(0, 10**129 - 1).map(str), st.integers(0, 10**6)) | st.sampled_from(
    [Sentinel.TRIM_HORIZON, Sentinel.SHARD_END]
)
shards = st.integers(0, 10**12 - 1).map(lambda number: f"shardId-{number:012}")


@given(checkpoint=checkpoints, ids=st.lists(shards, min_size=5, max_size=5, unique=True), ends=st.data())
def test_a_row_of_ours_is_read_as_what_was_written(checkpoint: Any, ids: list[str], ends: st.DataObject) -> None:
    """Whatever the place and the lineage, and nobody has held it."""
    first, last = sorted(ends.draw(st.tuples(st.integers(0, 2**128 - 1), st.integers(0, 2**128 - 1))))
    shard, *relatives = ids
    parents, children = tuple(sorted(relatives[:2])), tuple(sorted(relatives[2:]))
    written = NewLease(shard, checkpoint, HashRange(first, last), parents, children)
    assert parsed(item(written), TABLE) == Lease(
        shard, shard, None, checkpoint, 0, parents=parents, children=children, hashes=HashRange(first, last)
    )


texts = st.text(max_size=8) | st.sampled_from(["LATEST", "SHARD_END", "LEASE", "1:a:2:b", SEQUENCE, SHARDS[0]])
values = st.one_of(
    st.fixed_dictionaries({"S": texts}),
    st.fixed_dictionaries({"N": st.integers().map(str) | st.floats(allow_nan=False).map(str)}),
    st.fixed_dictionaries({"SS": st.lists(texts)}),
    st.fixed_dictionaries({"NULL": st.just(value=True)}),
    st.fixed_dictionaries({"B": st.binary()}),
)


@given(changes=st.dictionaries(st.sampled_from(sorted(row_35())) | st.text(max_size=5), values))
def test_any_row_is_understood_or_named(changes: Row) -> None:
    """No text, type or attribute gets past as an error without a name, or as a place that is not in it."""
    row = row_35() | changes
    try:
        found = parsed(row, TABLE)
    except MalformedLeaseError:
        return
    if isinstance(found, Lease):
        assert found.key == row["leaseKey"]["S"]
        assert told(found.checkpoint) == row["checkpoint"]["S"]


def told(checkpoint: LeaseCheckpoint) -> str:
    return checkpoint.sequence if isinstance(checkpoint, Processed) else checkpoint.value


def test_a_finished_shard_without_children_is_refused() -> None:
    """KCL would ask the stream for them for as long as it runs."""
    with pytest.raises(ValueError, match="no children"):
        NewLease(SHARDS[0], Sentinel.SHARD_END, WHOLE)
