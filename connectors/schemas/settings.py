"""Which registries, and what is to be done between them. Reading it takes none of the packages that this needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from connectors.schemas.definition import Compatibility, Field

DEFAULT_REGISTRY = "default-registry"
"""Of Glue, which makes it where it is missing; no other."""


class Unknown(StrEnum):
    """What becomes of a record with the id of a schema that its registry does not have."""

    STOP = "stop"
    DEAD_LETTER = "dead_letter"
    PASS = "pass"  # noqa: S105 - no word to pass by


@dataclass(frozen=True, slots=True)
class GlueSettings:
    """A registry of AWS Glue."""

    registry: str = DEFAULT_REGISTRY
    region: str | None = None
    """None: that of the AWS environment."""
    endpoint_url: str | None = None
    compressed: bool = False
    """Whether what is written with its schemas is compressed."""


@dataclass(frozen=True, slots=True)
class ConfluentSettings:
    """A schema registry of Confluent's kind, and as whom it is asked."""

    urls: tuple[str, ...]
    user: tuple[str, str] | None = field(default=None, repr=False)
    """Name and password, or a key of Confluent Cloud's API and its secret."""
    tls: Mapping[str, object] = field(default_factory=dict, repr=False)
    """Settings of its client that begin with ``ssl.``."""
    in_header: bool = False
    """Whether the schema of what is written is told in a header."""


@dataclass(frozen=True, slots=True)
class SchemaSettings:
    """From one registry to another."""

    source: GlueSettings | ConfluentSettings
    target: GlueSettings | ConfluentSettings
    read: str
    """The topic or stream that records come from."""
    written: str
    """The topic or stream that they go to."""
    subject: str = "topic_name"
    fields: tuple[Field, ...] = (Field.KEY, Field.VALUE)
    compatibility: Compatibility | None = None
    """What new subjects get; None: what the schema's has in the other registry."""
    unknown: Unknown = Unknown.STOP
