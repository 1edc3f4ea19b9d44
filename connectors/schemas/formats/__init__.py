"""What the languages of schemas have in them that framing needs: names, messages, and references put in."""

from collections.abc import Callable, Mapping

from connectors.schemas.definition import Definition, Format
from connectors.schemas.formats import avro, json_schema, protobuf

_WHOLE: Mapping[Format, Callable[[Definition], str]] = {
    Format.AVRO: avro.whole,
    Format.JSON: json_schema.whole,
    Format.PROTOBUF: protobuf.whole,
}
_NAMES: Mapping[Format, Callable[[Definition], str | None]] = {
    Format.AVRO: avro.name,
    Format.JSON: json_schema.name,
    Format.PROTOBUF: protobuf.name,
}


def whole(definition: Definition) -> Definition:
    """``definition`` as text that refers to nothing. Raises ``UnusableSchemaError`` where that cannot be."""
    return Definition(definition.format, _WHOLE[definition.format](definition))


def name(definition: Definition) -> str | None:
    """The full name of what it defines first; None where it has none."""
    return _NAMES[definition.format](definition)
