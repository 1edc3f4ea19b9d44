"""The frame of AWS Glue's serializers: ``03``, ``00`` or ``05`` for zlib, the id of the schema's version, the body.

Source: awslabs/aws-glue-schema-registry, ``AWSSchemaRegistryConstants`` and ``MessageIndexFinder``. Of Protobuf the
number of the message, among all of the schema in the order of their full names, stands before the body, as an unsigned
varint; zlib covers both.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import RFC_4122, UUID

from connectors.codecs.compression import inflated
from connectors.codecs.varint import read_varint, varint
from connectors.schemas.definition import Field
from connectors.schemas.formats.messages import Messages
from connectors.schemas.framing.frame import Framing, Packed

_PLAIN = b"\x03\x00"
_ZLIB = b"\x03\x05"


@dataclass(frozen=True, slots=True)
class GlueFraming(Framing):
    compressed: bool = False
    """Whether what is packed is compressed; both are unpacked."""

    prefix_size: ClassVar[int] = 18
    headers: ClassVar[Mapping[Field, str]] = {}

    @property
    def prefix_only(self) -> bool:
        return not self.compressed

    def schema_of(self, payload: bytes, header: bytes | None) -> bytes | None:
        if len(payload) < self.prefix_size or payload[:2] not in (_PLAIN, _ZLIB):
            return None
        return payload[2 : self.prefix_size]

    def is_plausible(self, schema: bytes) -> bool:
        # Random ones, as all that Glue makes; text and numbers are hardly ever of this shape.
        return UUID(bytes=schema).variant == RFC_4122

    def unpack(self, payload: bytes, header: bytes | None) -> bytes | None:
        rest = payload[self.prefix_size :]
        return rest if self.is_plain(payload) else inflated(rest)

    def is_plain(self, prefix: bytes) -> bool:
        return prefix.startswith(_PLAIN)

    def pack(self, schema: bytes, message: bytes, body: bytes) -> Packed:
        if self.compressed:
            return Packed(_ZLIB + schema + zlib.compress(message + body))
        return Packed(_PLAIN + schema + message + body)

    def message_size(self, rest: bytes) -> int | None:
        number = read_varint(rest, 0)
        return None if number is None else number[1]

    def message_name(self, message: bytes, messages: Messages) -> str | None:
        number = read_varint(message, 0)
        return messages.ordered[number[0]] if number is not None and number[0] < len(messages.ordered) else None

    def message_of(self, name: str, messages: Messages) -> bytes:
        return varint(messages.ordered.index(name))

    def text(self, schema: bytes) -> str:
        return str(UUID(bytes=schema))
