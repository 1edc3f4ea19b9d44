"""A schema as registries keep it, told in no registry's own words."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Format(StrEnum):
    AVRO = "AVRO"
    JSON = "JSON"
    PROTOBUF = "PROTOBUF"


class Compatibility(StrEnum):
    """Which later versions of a schema are taken. Each registry has its own words for the last three."""

    NONE = "NONE"
    BACKWARD = "BACKWARD"
    FORWARD = "FORWARD"
    FULL = "FULL"
    BACKWARD_ALL = "BACKWARD_ALL"
    FORWARD_ALL = "FORWARD_ALL"
    FULL_ALL = "FULL_ALL"


class Field(StrEnum):
    """The half of a record that a schema is of."""

    KEY = "key"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a schema says, with all that it refers to."""

    format: Format
    text: str
    references: tuple["Reference", ...] = ()

    def referred(self) -> Iterator["Reference"]:
        """All references, each behind those that it needs itself, none twice."""
        seen: set[str] = set()
        for reference in self.references:
            for each in (*reference.definition.referred(), reference):
                if each.name not in seen:
                    seen.add(each.name)
                    yield each


@dataclass(frozen=True, slots=True)
class Reference:
    """Another schema that one needs: ``name`` is how it is called there."""

    name: str
    subject: str
    definition: Definition


@dataclass(frozen=True, slots=True)
class Registered:
    """A schema as one registry has it. ``subject`` and ``version`` are empty and 0 where it is under none."""

    definition: Definition
    subject: str
    version: int
