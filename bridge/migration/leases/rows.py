"""The rows of a lease table as they are in DynamoDB, and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct

from bridge.errors import BridgeError
from bridge.migration.leases.lease import (
    HashRange,
    Lease,
    LeaseCheckpoint,
    NewLease,
    Processed,
    Sentinel,
    StreamIdentifier,
)
from checkpoints.dynamodb.attributes import Number, Text, Texts, number, text
from checkpoints.dynamodb.table import Table

_LEASE = "LEASE"
_SENTINELS = {sentinel.value: sentinel for sentinel in Sentinel}
_OF_A_STREAM = re.compile(r"(?P<account>\d+):(?P<name>[a-zA-Z0-9_.-]+):(?P<created>\d+):(?P<shard>[^:]+)", re.ASCII)


class MalformedLeaseError(BridgeError):
    """A row that is none of KCL's, or not as any version known writes it. Nothing of the table should be relied on."""


@dataclass(frozen=True, slots=True)
class OtherRow:
    """A row that is no lease: KCL 3.5 and later keep their leader, their workers' metrics and more in the same table.

    ``kind`` is its entityType. What is in it matters only as far as it changes.
    """

    key: str
    kind: str
    content: Mapping[str, object]


class _Row(Struct, frozen=True, kw_only=True, rename="camel"):
    lease_key: Text
    entity_type: Text = Text(_LEASE)


class _Lease(Struct, frozen=True, kw_only=True, rename="camel"):
    lease_counter: Number
    checkpoint: Text
    checkpoint_sub_sequence_number: Number = Number("0")
    owner_switches_since_checkpoint: Number = Number("0")
    lease_owner: Text | None = None
    checkpoint_owner: Text | None = None
    pending_checkpoint: Text | None = None
    pending_checkpoint_sub_sequence_number: Number = Number("0")
    parent_shard_id: Texts = Texts(())
    child_shard_ids: Texts = Texts(())
    starting_hash_key: Text | None = None
    ending_hash_key: Text | None = None


def parsed(item: Mapping[str, object], table: Table) -> Lease | OtherRow:
    """What a row says; attributes that no place depends on are passed over.

    Raises ``MalformedLeaseError`` with the row, the attribute and what is wrong with it.
    """
    try:
        row = msgspec.convert(item, _Row)
        if row.entity_type.value != _LEASE:
            return OtherRow(row.lease_key.value, row.entity_type.value, item)
        return _lease(row.lease_key.value, msgspec.convert(item, _Lease))
    except ValueError as error:
        raise MalformedLeaseError(
            f"read the leases in {table}",
            f"{_name(item)} is no lease: {error}",
            "is it the table of a KCL application itself, which has the application's name?",
        ) from error


def item(lease: NewLease) -> Mapping[str, object]:
    """The row of a lease that nobody has held yet, as KCL 2.x and 3.x begin one."""
    fields: dict[str, object] = {
        "leaseKey": text(lease.shard),
        "leaseCounter": number(0),
        "ownerSwitchesSinceCheckpoint": number(0),
        "startingHashKey": text(str(lease.hashes.first)),
        "endingHashKey": text(str(lease.hashes.last)),
    }
    match lease.checkpoint:
        case Processed(sequence, sub_sequence):
            fields |= {"checkpoint": text(sequence), "checkpointSubSequenceNumber": number(sub_sequence)}
        case sentinel:
            fields |= {"checkpoint": text(sentinel.value), "checkpointSubSequenceNumber": number(0)}
    # A set in DynamoDB is never empty.
    if lease.parents:
        fields["parentShardId"] = {"SS": list(lease.parents)}
    if lease.children:
        fields["childShardIds"] = {"SS": list(lease.children)}
    return fields


def _lease(key: str, row: _Lease) -> Lease:
    stream, shard = _stream_and_shard(key)
    return Lease(
        key=key,
        shard=shard,
        stream=stream,
        checkpoint=_checkpoint(row.checkpoint, row.checkpoint_sub_sequence_number),
        counter=int(row.lease_counter),
        owner=_value(row.lease_owner),
        owner_switches=int(row.owner_switches_since_checkpoint),
        pending=_pending(row),
        checkpoint_owner=_value(row.checkpoint_owner),
        parents=tuple(sorted(row.parent_shard_id.values)),
        children=tuple(sorted(row.child_shard_ids.values)),
        hashes=_hashes(row),
    )


def _stream_and_shard(key: str) -> tuple[StreamIdentifier | None, str]:
    if ":" not in key:
        return None, key
    found = _OF_A_STREAM.fullmatch(key)
    if found is None:
        raise ValueError(f"leaseKey {key!r} is neither SHARD nor ACCOUNT:STREAM:CREATION:SHARD")
    return StreamIdentifier(found["account"], found["name"], int(found["created"])), found["shard"]


def _checkpoint(place: Text, sub_sequence: Number) -> LeaseCheckpoint:
    if place.value in _SENTINELS:
        return _SENTINELS[place.value]
    try:
        return Processed(place.value, int(sub_sequence))
    except ValueError as error:
        raise ValueError(f"checkpoint {place.value!r}: {error}") from error


def _pending(row: _Lease) -> LeaseCheckpoint | None:
    # An empty one is none to KCL as well.
    if row.pending_checkpoint is None or not row.pending_checkpoint.value:
        return None
    return _checkpoint(row.pending_checkpoint, row.pending_checkpoint_sub_sequence_number)


def _hashes(row: _Lease) -> HashRange | None:
    if row.starting_hash_key is None or row.ending_hash_key is None:
        return None
    first, last = row.starting_hash_key.value, row.ending_hash_key.value
    for name, digits in (("startingHashKey", first), ("endingHashKey", last)):
        if not (digits.isascii() and digits.isdigit()):
            raise ValueError(f"{name} {digits!r} is no number")
    return HashRange(int(first), int(last))


def _value(attribute: Text | None) -> str | None:
    return attribute.value if attribute is not None else None


def _name(item: Mapping[str, Any]) -> str:
    """The row as a person can find it."""
    return f"row {item['leaseKey']}" if "leaseKey" in item else f"the row with {', '.join(sorted(item))}"
