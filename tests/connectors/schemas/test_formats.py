"""Schemas with references become whole ones that official readers take; names are found in each language."""

import base64
import io
import json
from typing import Any
from uuid import UUID

import fastavro
import pytest
from google.protobuf import descriptor_pb2
from jsonschema import Draft7Validator, Draft202012Validator  # type: ignore[import-untyped]

from connectors.schemas import formats
from connectors.schemas.definition import Definition, Format, Reference
from connectors.schemas.formats import protobuf
from connectors.schemas.formats.errors import UnusableSchemaError

MONEY = {"type": "record", "name": "shop.Money", "fields": [{"name": "cents", "type": "long"}]}
LINE = {
    "type": "record",
    "name": "Line",
    "namespace": "shop",
    "fields": [
        {"name": "price", "type": "Money"},
        {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
    ],
}
ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "other",
    "fields": [
        {"name": "lines", "type": {"type": "array", "items": "shop.Line"}},
        {"name": "total", "type": ["null", "shop.Money"]},
        {"name": "kinds", "type": {"type": "map", "values": "shop.Kind"}},
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
    ],
}


def avro(schema: object, *references: Reference) -> Definition:
    return Definition(Format.AVRO, json.dumps(schema), references)


def refer(name: str, definition: Definition) -> Reference:
    return Reference(name, f"subject of {name}", definition)


def test_avro_references_are_defined_where_they_are_named_first() -> None:
    """The whole schema reads what was written with the parts; namespaces of the parts stay theirs."""
    money = refer("shop.Money", avro(MONEY))
    line = refer("shop.Line", avro(LINE, money))
    whole = formats.whole(avro(ORDER, line, money))
    record = {
        "lines": [{"price": {"cents": 3}, "kind": "B"}],
        "total": {"cents": 3},
        "kinds": {"a": "A"},
        "id": "5c1f0f0e-0000-4000-8000-000000000000",
    }
    written = io.BytesIO()
    named: dict[str, dict[Any, Any]] = {}
    for part in (MONEY, LINE):
        fastavro.parse_schema(part, named)
    fastavro.schemaless_writer(written, fastavro.parse_schema(ORDER, named), record)

    read = fastavro.schemaless_reader(io.BytesIO(written.getvalue()), json.loads(whole.text), None)

    assert whole.references == ()
    assert read == {**record, "id": UUID(str(record["id"]))}


def test_avro_part_without_a_namespace_keeps_none() -> None:
    """A type of no namespace that one with a namespace names is still found under its own name."""
    plain = {"type": "record", "name": "Plain", "fields": [{"name": "n", "type": "int"}]}
    outer = {
        "type": "record",
        "name": "Outer",
        "namespace": "some.where",
        "fields": [{"name": "a", "type": "Plain"}, {"name": "b", "type": "Plain"}],
    }

    whole = formats.whole(avro(outer, refer("Plain", avro(plain))))

    assert json.loads(whole.text)["fields"][0]["type"] == {**plain, "namespace": ""}
    assert json.loads(whole.text)["fields"][1]["type"] == "Plain"


def test_schema_that_refers_to_nothing_stays_as_it_is_written() -> None:
    """To the last blank: registries know a schema by its text."""
    text = '{ "type" : "string" }'

    assert formats.whole(Definition(Format.AVRO, text)).text == text


@pytest.mark.parametrize(
    ("dialect", "validator"),
    [
        ("http://json-schema.org/draft-07/schema#", Draft7Validator),
        ("https://json-schema.org/draft/2020-12/schema", Draft202012Validator),
    ],
)
def test_json_references_are_bundled(dialect: str, validator: type) -> None:
    """Validators find the parts in the whole, those of parts too, and judge as they would by the parts."""
    cents = Definition(Format.JSON, json.dumps({"type": "integer"}))
    money = Definition(
        Format.JSON,
        json.dumps({"type": "object", "properties": {"cents": {"$ref": "cents.json"}}, "required": ["cents"]}),
        (refer("cents.json", cents),),
    )
    order = Definition(
        Format.JSON,
        json.dumps({"$schema": dialect, "title": "Order", "properties": {"total": {"$ref": "money.json"}}}),
        (refer("money.json", money),),
    )

    whole = validator(json.loads(formats.whole(order).text))

    assert whole.is_valid({"total": {"cents": 3}})
    assert not whole.is_valid({"total": {"cents": "3"}})
    assert not whole.is_valid({"total": {}})


MONEY_PROTO = 'syntax = "proto3"; package shop; message Money { int64 cents = 1; } enum Kind { A = 0; }'
ORDER_PROTO = """\
syntax = "proto3";
package shop;
import "money.proto";
import "google/protobuf/timestamp.proto";
message Order { Money total = 1; google.protobuf.Timestamp at = 2; message Line { string sku = 1; } }
"""


def proto(text: str, *references: Reference) -> Definition:
    return Definition(Format.PROTOBUF, text, references)


def test_protobuf_imports_are_put_behind_the_messages_of_the_file() -> None:
    """One file holds all, its own messages keep their places, and what every compiler has is still imported."""
    whole = formats.whole(proto(ORDER_PROTO, refer("money.proto", proto(MONEY_PROTO))))

    assert "money.proto" not in whole.text
    assert 'import "google/protobuf/timestamp.proto"' in whole.text
    assert "enum Kind" in whole.text
    assert protobuf.messages(whole).paths == {"shop.Order": (0,), "shop.Order.Line": (0, 0), "shop.Money": (1,)}


def test_protobuf_import_of_another_package_cannot_be_put_in() -> None:
    """A file has one package: the error names the file and says what to do."""
    other = MONEY_PROTO.replace("package shop", "package bank")

    with pytest.raises(UnusableSchemaError, match=r"put money\.proto into.*bank.*one package"):
        formats.whole(proto(ORDER_PROTO, refer("money.proto", proto(other))))


def compiled() -> descriptor_pb2.FileDescriptorProto:
    """``orders.proto`` with all that a descriptor may hold."""
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="orders.proto", package="shop", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    order = file.message_type.add(name="Order")
    entry = order.nested_type.add(name="CountsEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=1, type=field.TYPE_STRING)
    entry.field.add(name="value", number=2, label=1, type=field.TYPE_INT32)
    order.nested_type.add(name="Line").field.add(name="sku", number=1, label=1, type=field.TYPE_STRING)
    order.oneof_decl.add(name="way")
    order.oneof_decl.add(name="_note")
    message = field.TYPE_MESSAGE
    order.field.add(name="counts", number=1, label=3, type=message, type_name=".shop.Order.CountsEntry")
    order.field.add(name="lines", number=2, label=3, type=message, type_name=".shop.Order.Line")
    order.field.add(name="at", number=3, label=1, type=message, type_name=".google.protobuf.Timestamp", oneof_index=0)
    order.field.add(name="late", number=4, label=1, type=field.TYPE_BOOL, oneof_index=0)
    order.field.add(name="note", number=5, label=1, type=field.TYPE_STRING, oneof_index=1, proto3_optional=True)
    order.field.add(name="kind", number=6, label=1, type=field.TYPE_ENUM, type_name=".shop.Kind", json_name="Kind")
    order.reserved_range.add(start=7, end=8)
    order.reserved_range.add(start=9, end=536_870_912)
    order.reserved_name.append("old")
    kind = file.enum_type.add(name="Kind")
    kind.options.allow_alias = True
    kind.value.add(name="A", number=0)
    kind.value.add(name="B", number=0)
    return file


def test_compiled_protobuf_is_written_as_text() -> None:
    """With fields, maps, oneofs, optional ones, enums and what is reserved."""
    text = formats.whole(proto(base64.b64encode(compiled().SerializeToString()).decode())).text

    assert " ".join(text.split()) == (
        'syntax = "proto3"; package shop; import "google/protobuf/timestamp.proto"; '
        "message Order { message Line { string sku = 1; } map<string, int32> counts = 1; "
        "repeated shop.Order.Line lines = 2; "
        "oneof way { google.protobuf.Timestamp at = 3; bool late = 4; } optional string note = 5; "
        'shop.Kind kind = 6 [json_name = "Kind"]; reserved 7, 9 to max; reserved "old"; } '
        "enum Kind { option allow_alias = true; A = 0; B = 0; }"
    )


def test_entries_of_maps_are_counted_as_each_serializer_counts_them() -> None:
    """Where a schema is compiled they are declared; in text they are not, but a compiler makes them."""
    binary = proto(base64.b64encode(compiled().SerializeToString()).decode())
    text = formats.whole(binary)

    assert protobuf.messages(binary).paths["shop.Order.Line"] == (0, 1)
    assert protobuf.messages(text).paths["shop.Order.Line"] == (0, 0)
    ordered = ("shop.Order", "shop.Order.CountsEntry", "shop.Order.Line")
    assert protobuf.messages(binary).ordered == protobuf.messages(text).ordered == ordered


def test_what_cannot_be_read_is_named_with_its_line() -> None:
    """A schema that is none is an error with the place, not half a schema."""
    with pytest.raises(UnusableSchemaError, match="line 2, column 8"):
        protobuf.messages(proto('syntax = "proto3";\nmessage {'))


@pytest.mark.parametrize(
    ("definition", "name"),
    [
        (avro(ORDER), "other.Order"),
        (avro({"type": "array", "items": "string"}), None),
        (Definition(Format.JSON, '{"title": "Order"}'), "Order"),
        (Definition(Format.JSON, "true"), None),
        (proto(ORDER_PROTO), "shop.Order"),
        (proto('syntax = "proto3";'), None),
    ],
)
def test_record_names_are_those_of_the_serializers(definition: Definition, name: str | None) -> None:
    """The full name of Avro and Protobuf, the title of JSON; none where there is none."""
    assert formats.name(definition) == name
