"""The frames of Confluent's serializers.

Source: Confluent Platform, "Wire format", and confluent-kafka, ``schema_registry.common.serde.SchemaId``. Before the
body ``00`` and the schema's id, four bytes; or ``01`` and its GUID, sixteen bytes, in a header, and the payload is the
body. Of Protobuf the message follows, as the numbers of those it is in and its own among those declared beside it: how
many there are and each, in zig-zag varints, and ``00`` alone for the first of all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeGuard
from uuid import UUID

from connectors.codecs.varint import read_varint, varint
from connectors.schemas.definition import Field
from connectors.schemas.formats.messages import Messages, Path
from connectors.schemas.framing.frame import Framing, Packed

_BY_ID = b"\x00"
_BY_GUID = b"\x01"
_ID_SIZE = 4
_GUID_SIZE = 16
_FIRST: Path = (0,)
_MOST_IDS = 2**24
"""Registries count ids up from 1, as Confluent Cloud does from 100,000, and allows 20,000 schemas: one beyond this was
never counted. It may have been imported, and then the registry has it.
"""
_DEEPEST = 100
"""Protobuf's own limit of messages in messages."""


@dataclass(frozen=True, slots=True)
class ConfluentFraming(Framing):
    """Schemas are named by four bytes, which is an id, or by sixteen, which is a GUID."""

    in_header: bool = False
    """Whether the schema of what is packed is told in a header; both are unpacked."""

    prefix_size: ClassVar[int] = 5
    headers: ClassVar[Mapping[Field, str]] = {Field.KEY: "__key_schema_id", Field.VALUE: "__value_schema_id"}

    @property
    def prefix_only(self) -> bool:
        return not self.in_header

    def schema_of(self, payload: bytes, header: bytes | None) -> bytes | None:
        if _tells(header):
            return header[1 : 1 + _GUID_SIZE]
        if len(payload) < self.prefix_size or payload[:1] != _BY_ID:
            return None
        schema = payload[1 : self.prefix_size]
        # A Java int, which begins at 1; registries take nothing else for an id.
        return schema if int.from_bytes(schema, "big", signed=True) > 0 else None

    def is_plausible(self, schema: bytes) -> bool:
        return len(schema) != _ID_SIZE or int.from_bytes(schema, "big") < _MOST_IDS

    def unpack(self, payload: bytes, header: bytes | None) -> bytes | None:
        return header[1 + _GUID_SIZE :] + payload if _tells(header) else payload[self.prefix_size :]

    def is_plain(self, prefix: bytes) -> bool:
        return prefix.startswith(_BY_ID)

    def pack(self, schema: bytes, message: bytes, body: bytes) -> Packed:
        if self.in_header:
            return Packed(body, _BY_GUID + schema + message)
        return Packed(_BY_ID + schema + message + body)

    def message_size(self, rest: bytes) -> int | None:
        found = _read(rest)
        return None if found is None else found[1]

    def message_name(self, message: bytes, messages: Messages) -> str | None:
        found = _read(message)
        return next((name for name, path in messages.paths.items() if found is not None and path == found[0]), None)

    def message_of(self, name: str, messages: Messages) -> bytes:
        path = messages.paths[name]
        if path == _FIRST:
            return b"\x00"
        return b"".join(varint(number << 1) for number in (len(path), *path))

    def text(self, schema: bytes) -> str:
        return str(UUID(bytes=schema)) if len(schema) == _GUID_SIZE else str(int.from_bytes(schema, "big"))


def _tells(header: bytes | None) -> TypeGuard[bytes]:
    return header is not None and header.startswith(_BY_GUID) and len(header) > _GUID_SIZE


def _read(rest: bytes) -> tuple[Path, int] | None:
    """The message's numbers, and where they end; None where they cannot be read. Zig-zag of what is not negative."""
    count = read_varint(rest, 0)
    if count is None or count[0] & 1:
        return None
    depth, end = count[0] >> 1, count[1]
    if not depth:
        return _FIRST, end
    if depth > _DEEPEST:
        return None
    path: list[int] = []
    for _ in range(depth):
        number = read_varint(rest, end)
        if number is None or number[0] & 1:
            return None
        path.append(number[0] >> 1)
        end = number[1]
    return tuple(path), end
