"""The items of a mirror as they are in the table, and nothing else: docs/dynamodb.md is their documentation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from msgspec import Struct, field

from checkpoints.base import Bound, Checkpoint, Gap, StoreFormatError
from checkpoints.dynamodb.attributes import Number, Text, number, text
from checkpoints.dynamodb.table import Table

VERSION = 1
HEADER = "#owner"
"""The sort key of the header. Neither shards nor partitions of a topic can be called so."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Header:
    """Who owns a mirror's checkpoints.

    ``fence`` rises by one with each change of ownership, ``beat`` with each write of an owner, be it a renewal.
    ``renewed_ms`` is the time of the owner's clock, for people only. Before the first owner ``fence`` is 0.
    """

    owner: str | None
    fence: int
    beat: int
    renewed_ms: int
    session_ms: int


NOBODY = Header(None, 0, 0, 0, 0)


class _Flag(Struct, frozen=True):
    value: bool = field(name="BOOL")


class _Versioned(Struct, frozen=True):
    partition: Text
    version: Number


class _Header(Struct, frozen=True, kw_only=True):
    fence: Number
    beat: Number
    renewed_ms: Number
    session_ms: Number
    owner: Text | None = None


class _GapFields(Struct, frozen=True, omit_defaults=True):
    lost_from: Text
    lost_to: Text
    cause: Text
    noticed_ms: Number
    records: Number | None = None


class _GapMap(Struct, frozen=True):
    value: _GapFields = field(name="M")


class _Gaps(Struct, frozen=True):
    value: tuple[_GapMap, ...] = field(name="L")


class _Checkpoint(Struct, frozen=True, kw_only=True, omit_defaults=True):
    mirror: Text
    partition: Text
    version: Number
    fence: Number
    finished: _Flag
    saved_ms: Number
    source: Text
    sink: Text
    gaps: _Gaps
    position: Text | None = None
    watermark_ms: Number | None = None
    unsettled_ms: Number | None = None
    window: Text | None = None
    bound: Text | None = None
    paused_ms: Number | None = None


def key(mirror: str, partition: str) -> Mapping[str, object]:
    return {"mirror": text(mirror), "partition": text(partition)}


def header(answer: Mapping[str, object], table: Table) -> Header:
    """The header in an answer of GetItem, ``NOBODY`` where there is none.

    Raises ``StoreFormatError`` for one of a newer version, or that is not ours.
    """
    if "Item" not in answer:
        return NOBODY
    _check_version(answer["Item"], table)
    found = _converted(answer["Item"], _Header, table)
    owner = found.owner.value if found.owner is not None else None
    return Header(owner, int(found.fence), int(found.beat), int(found.renewed_ms), int(found.session_ms))


def header_fields(header: Header) -> Mapping[str, object]:
    """What is written of an owner's header beside its key."""
    return {
        "version": number(VERSION),
        "owner": text(header.owner or ""),
        "fence": number(header.fence),
        "beat": number(header.beat),
        "renewed_ms": number(header.renewed_ms),
        "session_ms": number(header.session_ms),
    }


def item(mirror: str, partition: str, checkpoint: Checkpoint, fence: int) -> Mapping[str, object]:
    stored = _Checkpoint(
        mirror=Text(mirror),
        partition=Text(partition),
        version=_number(VERSION),
        fence=_number(fence),
        finished=_Flag(checkpoint.finished),
        saved_ms=_number(checkpoint.saved_ms),
        source=Text(checkpoint.source),
        sink=Text(checkpoint.sink),
        gaps=_Gaps(tuple(map(_gap_map, checkpoint.gaps))),
        position=Text(checkpoint.position) if checkpoint.position is not None else None,
        watermark_ms=_number(checkpoint.watermark_ms) if checkpoint.watermark_ms is not None else None,
        unsettled_ms=_number(checkpoint.unsettled_ms) if checkpoint.unsettled_ms is not None else None,
        window=Text(checkpoint.window) if checkpoint.window else None,
        bound=Text(msgspec.json.encode(checkpoint.bound).decode()) if checkpoint.bound is not None else None,
        paused_ms=_number(checkpoint.paused_ms) if checkpoint.paused_ms is not None else None,
    )
    built: dict[str, object] = msgspec.to_builtins(stored)
    return built


def checkpoints(items: Iterable[object], table: Table) -> dict[str, Checkpoint]:
    """The checkpoints among a mirror's items, by partition.

    Raises ``StoreFormatError`` for items of a newer version, or that are not ours.
    """
    found: dict[str, Checkpoint] = {}
    for stored in items:
        partition = _check_version(stored, table)
        if partition != HEADER:
            found[partition] = _checkpoint(_converted(stored, _Checkpoint, table))
    return found


def _checkpoint(stored: _Checkpoint) -> Checkpoint:
    return Checkpoint(
        position=stored.position.value if stored.position is not None else None,
        watermark_ms=int(stored.watermark_ms) if stored.watermark_ms is not None else None,
        finished=stored.finished.value,
        saved_ms=int(stored.saved_ms),
        source=stored.source.value,
        sink=stored.sink.value,
        gaps=tuple(_gap(gap.value) for gap in stored.gaps.value),
        unsettled_ms=int(stored.unsettled_ms) if stored.unsettled_ms is not None else None,
        window=stored.window.value if stored.window is not None else "",
        bound=msgspec.json.decode(stored.bound.value, type=Bound) if stored.bound is not None else None,
        paused_ms=int(stored.paused_ms) if stored.paused_ms is not None else None,
    )


def _gap(stored: _GapFields) -> Gap:
    records = None if stored.records is None else int(stored.records)
    return Gap(stored.lost_from.value, stored.lost_to.value, stored.cause.value, int(stored.noticed_ms), records)


def _gap_map(gap: Gap) -> _GapMap:
    records = None if gap.records is None else _number(gap.records)
    return _GapMap(
        _GapFields(Text(gap.lost_from), Text(gap.lost_to), Text(gap.cause), _number(gap.noticed_ms), records)
    )


def _number(value: int) -> Number:
    return Number(str(value))


def _check_version(stored: object, table: Table) -> str:
    """The item's sort key. Raises ``StoreFormatError`` for a newer item, whatever else is in it."""
    found = _converted(stored, _Versioned, table)
    if int(found.version) != VERSION:
        raise StoreFormatError(
            f"read the checkpoints in {table}",
            f"item {found.partition.value} was written in format {int(found.version)} by a newer version, "
            f"this one knows format {VERSION}",
            f"upgrade kmbridge, or name another table with {table.purpose.section}.table",
        )
    return found.partition.value


def _converted(stored: Any, kind: type[T], table: Table) -> T:
    try:
        return msgspec.convert(stored, kind)
    except msgspec.ValidationError as error:
        raise StoreFormatError(
            f"read the checkpoints in {table}", f"an item is no checkpoint: {error}", table.purpose.foreign
        ) from error
