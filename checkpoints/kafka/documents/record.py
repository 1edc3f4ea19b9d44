"""The records of documents: keys and values that a person can read with any Kafka tool.

A key is ``MIRROR#documents/NAME``, which no checkpoint's key can be, since no mirror's name has a ``#`` in it: whoever
looks for checkpoints, of whatever version, passes over it. A value is a JSON object.
"""

import msgspec

from checkpoints.base import StoreFormatError
from checkpoints.documents import Document
from checkpoints.kafka.document import Author

FORMAT = 1
SLOT = 0
"""The partition of the topic that documents are in: the one that every topic has, however many there are."""


class _Format(msgspec.Struct, frozen=True):
    format: int


class _Record(msgspec.Struct, frozen=True):
    format: int
    version: int
    text: str
    author: str
    writer: str
    group: str


def key_prefix(mirror: str) -> bytes:
    """What the keys of all documents of ``mirror`` begin with, and no other key."""
    return f"{mirror}#documents/".encode()


def key_of(mirror: str, name: str) -> bytes:
    return key_prefix(mirror) + name.encode()


def encode(document: Document, writer: Author) -> bytes:
    """``writer`` stands where it does in checkpoints: who takes a slot over finds there whose transaction to end."""
    return msgspec.json.encode(
        _Record(FORMAT, document.version, document.text, document.author, writer.writer, writer.group)
    )


def decode(value: bytes, place: str) -> Document:
    """The document in ``value``.

    Raises ``StoreFormatError`` naming ``place`` where a newer version wrote it, or somebody else.
    """
    operation = f"read {place}"
    try:
        found = msgspec.json.decode(value, type=_Format).format
        if found > FORMAT:
            raise StoreFormatError(
                operation,
                f"written in format {found} by a newer version, this one knows format {FORMAT}",
                "upgrade kmbridge on this machine",
            )
        record = msgspec.json.decode(value, type=_Record)
    except msgspec.DecodeError as error:
        raise StoreFormatError(
            operation,
            f"not a document: {error}",
            "it is left as it is; name another topic with checkpoints.kafka.topic",
        ) from None
    return Document(record.text, record.version, record.author)
