"""The records of the checkpoint topic: keys and values that a person can read with any Kafka tool.

A key is ``MIRROR/PARTITION``, a value a JSON object, and null says that there is no checkpoint any more.
"""

from dataclasses import dataclass

import msgspec

from checkpoints.base import Bound, Checkpoint, Gap, StoreFormatError

VERSION = 1


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a checkpoint: a transactional id, and the group in which its worker is a member while it lives."""

    writer: str
    group: str


class _Format(msgspec.Struct, frozen=True):
    version: int


class _Document(msgspec.Struct, frozen=True, omit_defaults=True):
    version: int
    position: str | None
    watermark_ms: int | None
    finished: bool
    saved_ms: int
    source: str
    sink: str
    gaps: tuple[Gap, ...]
    writer: str
    group: str
    unsettled_ms: int | None = None
    window: str = ""
    bound: Bound | None = None
    paused_ms: int | None = None


def key_prefix(mirror: str) -> bytes:
    """What every key of ``mirror`` begins with, and no key of another."""
    return f"{mirror}/".encode()


def key_of(mirror: str, partition: str) -> bytes:
    return f"{mirror}/{partition}".encode()


def encode(checkpoint: Checkpoint, author: Author) -> bytes:
    return msgspec.json.encode(
        _Document(
            VERSION,
            checkpoint.position,
            checkpoint.watermark_ms,
            checkpoint.finished,
            checkpoint.saved_ms,
            checkpoint.source,
            checkpoint.sink,
            checkpoint.gaps,
            author.writer,
            author.group,
            checkpoint.unsettled_ms,
            checkpoint.window,
            checkpoint.bound,
            checkpoint.paused_ms,
        )
    )


def decode(value: bytes, place: str) -> tuple[Checkpoint, Author]:
    """The checkpoint in ``value`` and who wrote it.

    Raises ``StoreFormatError`` naming ``place`` where a newer version wrote it, or somebody else.
    """
    operation = f"read the checkpoint {place}"
    try:
        version = msgspec.json.decode(value, type=_Format).version
        if version > VERSION:
            raise StoreFormatError(
                operation,
                f"written in format {version} by a newer version, this one knows format {VERSION}",
                "upgrade this worker first",
            )
        found = msgspec.json.decode(value, type=_Document)
    except msgspec.DecodeError as error:
        raise StoreFormatError(
            operation,
            f"not a checkpoint: {error}",
            "it is left as it is; name another topic with checkpoints.kafka.topic",
        ) from None
    checkpoint = Checkpoint(
        found.position,
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
    return checkpoint, Author(found.writer, found.group)


def partition_of(key: bytes, prefix: bytes, place: str) -> str:
    """The partition that ``key`` names behind ``prefix``. Raises ``StoreFormatError`` where it is no text."""
    try:
        return key[len(prefix) :].decode()
    except UnicodeDecodeError:
        raise StoreFormatError(f"read the checkpoint {place}", "its key is not UTF-8") from None


def author_of(value: bytes) -> Author | None:
    """Who wrote ``value``, whichever mirror's; None where it does not tell."""
    try:
        return msgspec.json.decode(value, type=Author)
    except msgspec.DecodeError:
        return None
