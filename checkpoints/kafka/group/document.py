"""A checkpoint as a committed offset: the offset is the position, its metadata are the rest as a JSON object.

Any Kafka tool may move the group: an offset without metadata of ours is a checkpoint of which nothing else is known.
"""

from collections.abc import Iterator
from dataclasses import replace

import msgspec

from checkpoints.base import Bound, Checkpoint, Gap, StoreFormatError
from checkpoints.kafka.group.committer import CommittedOffset

VERSION = 1
LONGEST = 3_500
"""Bytes of metadata. Brokers take 4096 by default (``offset.metadata.max.bytes``)."""

FORGOTTEN = CommittedOffset(0, '{"kmbridge":1,"forgotten":true}')
"""Stands where no checkpoint is: clients cannot delete one partition's offset."""


class _Format(msgspec.Struct, frozen=True):
    kmbridge: int


class _Document(msgspec.Struct, frozen=True, omit_defaults=True):
    kmbridge: int
    saved_ms: int = 0
    watermark_ms: int | None = None
    finished: bool = False
    source: str = ""
    sink: str = ""
    gaps: tuple[Gap, ...] = ()
    unsettled_ms: int | None = None
    window: str = ""
    bound: Bound | None = None
    forgotten: bool = False
    paused_ms: int | None = None


def encode(checkpoint: Checkpoint) -> CommittedOffset:
    """``checkpoint``, whose position is an offset as text, as what to commit.

    Brokers take short metadata only. What does not fit is left out: first the window, then, from the oldest on, the
    causes of the gaps, then the gaps themselves, which were logged when they were noticed.
    """
    offset = 0 if checkpoint.position is None else int(checkpoint.position) + 1
    document = _Document(
        VERSION,
        checkpoint.saved_ms,
        checkpoint.watermark_ms,
        checkpoint.finished,
        checkpoint.source,
        checkpoint.sink,
        checkpoint.gaps,
        checkpoint.unsettled_ms,
        checkpoint.window,
        checkpoint.bound,
        paused_ms=checkpoint.paused_ms,
    )
    return CommittedOffset(offset, _fitting(document).decode())


def decode(committed: CommittedOffset, place: str) -> Checkpoint | None:
    """The checkpoint that ``committed`` is; None where it was forgotten.

    Raises ``StoreFormatError`` naming ``place`` where a newer version wrote it.
    """
    position = str(committed.offset - 1) if committed.offset else None
    found = _document(committed.metadata, place)
    if found.forgotten:
        return None
    return Checkpoint(
        position,
        found.watermark_ms,
        found.finished,
        found.saved_ms,
        found.source,
        found.sink,
        found.gaps,
        found.unsettled_ms,
        found.window,
        found.bound,
        found.paused_ms,
    )


def _document(metadata: str, place: str) -> _Document:
    operation = f"read the checkpoint {place}"
    try:
        version = msgspec.json.decode(metadata, type=_Format).kmbridge
    except msgspec.DecodeError:
        return _Document(VERSION)
    if version > VERSION:
        raise StoreFormatError(
            operation,
            f"written in format {version} by a newer version, this one knows format {VERSION}",
            "upgrade this worker first",
        )
    try:
        return msgspec.json.decode(metadata, type=_Document)
    except msgspec.DecodeError as error:
        raise StoreFormatError(
            operation,
            f"its metadata are not what this version writes: {error}",
            "set the group's offset anew with any Kafka tool, or with: kmbridge checkpoints set",
        ) from None


def _fitting(document: _Document) -> bytes:
    text = msgspec.json.encode(document)
    for shorter in _shortened(document):
        if len(text) <= LONGEST:
            break
        text = msgspec.json.encode(shorter)
    return text


def _shortened(document: _Document) -> Iterator[_Document]:
    """``document`` with less and less of what it can do without."""
    document = msgspec.structs.replace(document, window="")
    yield document
    gaps = document.gaps
    for index, gap in enumerate(gaps):
        gaps = (*gaps[:index], replace(gap, cause=""), *gaps[index + 1 :])
        yield msgspec.structs.replace(document, gaps=gaps)
    while gaps:
        gaps = gaps[1:]
        yield msgspec.structs.replace(document, gaps=gaps)
