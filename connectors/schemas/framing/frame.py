"""What every registry's frame is to those who make another of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from connectors.schemas.definition import Field
from connectors.schemas.formats.messages import Messages


@dataclass(frozen=True, slots=True)
class Packed:
    """A payload in its frame. ``header`` is what the record's header says of the schema; None: the payload does."""

    payload: bytes
    header: bytes | None = None


class Framing(ABC):
    """How a registry's serializers say which schema a payload has."""

    prefix_size: ClassVar[int]
    """Payloads that have these first bytes in common have one schema, and are packed in one way."""
    headers: ClassVar[Mapping[Field, str]]
    """The header that may say it instead, of key and of value; empty where there is none."""

    @property
    @abstractmethod
    def prefix_only(self) -> bool:
        """Whether packing is to put bytes before the body that are the same for all of one schema, and no more."""

    @abstractmethod
    def schema_of(self, payload: bytes, header: bytes | None) -> bytes | None:
        """What names the schema, as the registry's ``fetch`` takes it; None where ``payload`` cannot have this frame.

        One that can may still only look like it.
        """

    @abstractmethod
    def is_plausible(self, schema: bytes) -> bool:
        """Whether a registry may have given out ``schema``, what ``schema_of`` found.

        Where one does not have it, and cannot have had it, the payload only looked like this frame.
        """

    @abstractmethod
    def unpack(self, payload: bytes, header: bytes | None) -> bytes | None:
        """What is in the frame, which ``payload`` can have: the body, of Protobuf with what says which message it is.

        None where it does not have it after all.
        """

    @abstractmethod
    def is_plain(self, prefix: bytes) -> bool:
        """Whether the body stands as it is behind ``prefix``, which was found in a frame."""

    @abstractmethod
    def pack(self, schema: bytes, message: bytes, body: bytes) -> Packed:
        """``message`` is what ``message_of`` gives; empty where a schema has but one."""

    @abstractmethod
    def message_size(self, rest: bytes) -> int | None:
        """How many bytes before the body say which message of a Protobuf schema it is; None where none do."""

    @abstractmethod
    def message_name(self, message: bytes, messages: Messages) -> str | None:
        """The full name of what ``message`` says; None where the schema has no such message."""

    @abstractmethod
    def message_of(self, name: str, messages: Messages) -> bytes:
        """What says that a body is the message ``name``, which is one of ``messages``."""

    @abstractmethod
    def text(self, schema: bytes) -> str:
        """The id that ``schema`` stands for, as people write it."""
