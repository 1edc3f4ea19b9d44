"""The text of a compiled Protobuf schema. Comments, services and options without meaning for records are left out."""

from collections.abc import Iterator, Sequence

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from proto_schema_parser import ast

from connectors.schemas.formats.errors import UnusableSchemaError

_CARDINALITY = {
    FieldDescriptorProto.LABEL_OPTIONAL: ast.FieldCardinality.OPTIONAL,
    FieldDescriptorProto.LABEL_REQUIRED: ast.FieldCardinality.REQUIRED,
    FieldDescriptorProto.LABEL_REPEATED: ast.FieldCardinality.REPEATED,
}
_LAST = 536_870_911
"""The highest number that a field may have."""


def decompiled(file: FileDescriptorProto) -> ast.File:
    """The file whose compilation is ``file``. Raises ``UnusableSchemaError`` of one with groups or of an edition."""
    if file.syntax not in ("", "proto2", "proto3"):
        raise UnusableSchemaError(
            f"write {file.name} as text", f"its syntax is {file.syntax}", "register it as text, not compiled"
        )
    syntax = file.syntax or "proto2"
    elements: list[ast.FileElement] = [ast.Package(file.package)] if file.package else []
    elements += [ast.Import(path) for path in file.dependency]
    elements += [_message(each, syntax) for each in file.message_type]
    elements += [_enum(each) for each in file.enum_type]
    elements += _extensions(file.extension, syntax)
    return ast.File(syntax=syntax, file_elements=elements)


def _message(message: DescriptorProto, syntax: str) -> ast.Message:
    maps = {each.name: each for each in message.nested_type if each.options.map_entry}
    elements: list[ast.MessageElement] = [
        _message(each, syntax) for each in message.nested_type if not each.options.map_entry
    ]
    elements += [_enum(each) for each in message.enum_type]
    elements += _fields(message, maps, syntax)
    if message.extension_range:
        elements.append(ast.ExtensionRange([_range(each.start, each.end - 1) for each in message.extension_range]))
    if message.reserved_range:
        elements.append(ast.Reserved(ranges=[_range(each.start, each.end - 1) for each in message.reserved_range]))
    if message.reserved_name:
        elements.append(ast.Reserved(names=list(message.reserved_name)))
    elements += _extensions(message.extension, syntax)
    return ast.Message(message.name, elements)


def _fields(message: DescriptorProto, maps: dict[str, DescriptorProto], syntax: str) -> Iterator[ast.MessageElement]:
    """In the order of their declaration, those of a oneof where its first stands."""
    written: set[int] = set()
    for field in message.field:
        entry = maps.get(field.type_name.rpartition(".")[2])
        if entry is not None:
            key, value = entry.field
            yield ast.MapField(field.name, field.number, _type(key), _type(value))
        elif not _chosen(field):
            yield _field(field, syntax)
        elif field.oneof_index not in written:
            written.add(field.oneof_index)
            yield ast.OneOf(
                message.oneof_decl[field.oneof_index].name,
                [_choice(each) for each in message.field if each.oneof_index == field.oneof_index and _chosen(each)],
            )


def _chosen(field: FieldDescriptorProto) -> bool:
    """Whether it is one of a oneof that somebody wrote: of an optional field of proto3 the compiler makes one."""
    return field.HasField("oneof_index") and not field.proto3_optional


def _choice(field: FieldDescriptorProto) -> ast.Field:
    return ast.Field(field.name, field.number, _type(field), None, _options(field))


def _field(field: FieldDescriptorProto, syntax: str) -> ast.Field:
    implied = syntax == "proto3" and field.label == FieldDescriptorProto.LABEL_OPTIONAL and not field.proto3_optional
    cardinality = None if implied else _CARDINALITY[field.label]
    return ast.Field(field.name, field.number, _type(field), cardinality, _options(field))


def _options(field: FieldDescriptorProto) -> list[ast.Option]:
    options: list[ast.Option] = []
    if field.HasField("default_value"):
        options.append(ast.Option("default", _default(field)))
    if field.options.HasField("packed"):
        options.append(ast.Option("packed", field.options.packed))
    if field.HasField("json_name") and field.json_name != _json_name(field.name):
        options.append(ast.Option("json_name", field.json_name))
    return options


def _default(field: FieldDescriptorProto) -> str | ast.Identifier:
    """Texts are quoted, numbers and names of an enum are not."""
    quoted = field.type in (FieldDescriptorProto.TYPE_STRING, FieldDescriptorProto.TYPE_BYTES)
    return field.default_value if quoted else ast.Identifier(field.default_value)


def _json_name(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in others)


def _type(field: FieldDescriptorProto) -> str:
    if field.type == FieldDescriptorProto.TYPE_GROUP:
        raise UnusableSchemaError(
            f"write field {field.name} as text", "it is a group", "register the schema as text, not compiled"
        )
    return field.type_name.lstrip(".") or FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()


def _enum(enum: EnumDescriptorProto) -> ast.Enum:
    elements: list[ast.EnumElement] = [ast.Option("allow_alias", True)] if enum.options.allow_alias else []  # noqa: FBT003
    elements += [ast.EnumValue(each.name, each.number) for each in enum.value]
    if enum.reserved_range:
        elements.append(ast.EnumReserved(ranges=[_range(each.start, each.end) for each in enum.reserved_range]))
    if enum.reserved_name:
        elements.append(ast.EnumReserved(names=list(enum.reserved_name)))
    return ast.Enum(enum.name, elements)


def _extensions(extensions: Sequence[FieldDescriptorProto], syntax: str) -> list[ast.Extension]:
    return [ast.Extension(each.extendee.lstrip("."), [_field(each, syntax)]) for each in extensions]


def _range(first: int, last: int) -> str:
    if last >= _LAST:
        return f"{first} to max"
    return str(first) if first == last else f"{first} to {last}"
