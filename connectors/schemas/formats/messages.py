"""The messages of a Protobuf schema, in the two orders by which frames number them."""

from collections.abc import Mapping
from dataclasses import dataclass

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Messages:
    """By their full names."""

    paths: Mapping[str, Path]
    """Of each its number among those that are declared beside it, before it the numbers of those that it is in.

    Of a schema in text a map is none: Confluent's own serializer, in Java, counts what is declared. In a compiled one
    the entries of a map are declared.
    """
    ordered: tuple[str, ...]
    """All that a compiler makes, entries of maps too, sorted."""


def entry_of(field: str) -> str:
    """What a compiler calls the message that an entry of the map ``field`` is (protoc, ``MapEntryName``)."""
    return "".join(part[:1].upper() + part[1:] for part in field.split("_")) + "Entry"
