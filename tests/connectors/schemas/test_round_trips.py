"""What official serializers of one registry write, official deserializers of the other read, there and back.

AWS's are those in Java, and for Avro and JSON those of the package for Python that is best known; Confluent's are their
own, for Python. Glue is moto's, Confluent's registry is Apicurio.
"""

import asyncio
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import boto3
import pytest
from aws_schema_registry import DataAndSchema
from aws_schema_registry import SchemaRegistryClient as GlueClient
from aws_schema_registry.avro import AvroSchema
from aws_schema_registry.jsonschema import JsonSchema
from aws_schema_registry.serde import KafkaDeserializer, KafkaSerializer
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

from connectors.base import Clock
from connectors.schemas.making import step
from connectors.schemas.settings import ConfluentSettings, GlueSettings, SchemaSettings
from tests.connectors.schemas.batches import batch_of
from tests.connectors.schemas.proto_files import orders
from tests.support.glue_serde import GlueSerde
from tests.support.kinesis_api import REGION
from tests.support.missing import give_up
from tests.support.moto import moto_server
from tests.support.provision import MissingServerError

_REGISTRY = "shop"
_DRAFT = "http://json-schema.org/draft-07/schema#"

MONEY = {"type": "record", "name": "Money", "namespace": "shop", "fields": [{"name": "cents", "type": "long"}]}
ORDER = {
    "type": "record",
    "name": "Order",
    "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {
            "name": "lines",
            "type": {
                "type": "array",
                "items": {"type": "record", "name": "Line", "fields": [{"name": "sku", "type": "string"}]},
            },
        },
        {"name": "total", "type": "shop.Money"},
    ],
}
AN_ORDER = {"id": "a", "lines": [{"sku": "x"}, {"sku": "y"}], "total": {"cents": 300}}


@dataclass(frozen=True, slots=True)
class Stations:
    """The two registries, and what reads and writes with them."""

    glue: str
    confluent: str
    java: GlueSerde

    def to_confluent(self) -> SchemaSettings:
        source, target = GlueSettings(_REGISTRY, REGION, self.glue), ConfluentSettings((self.confluent,))
        return SchemaSettings(source, target, "there", "there", subject="{subject}")

    def to_glue(self, *, compressed: bool) -> SchemaSettings:
        target = GlueSettings(_REGISTRY, REGION, self.glue, compressed)
        return SchemaSettings(ConfluentSettings((self.confluent,)), target, "back", "back", subject="back-{subject}")

    def glue_client(self) -> GlueClient:
        return GlueClient(boto3.client("glue", endpoint_url=self.glue), registry_name=_REGISTRY)


@pytest.fixture(scope="module")
def stations(registry: str) -> Iterator[Stations]:
    with moto_server() as glue:
        boto3.client("glue", endpoint_url=glue).create_registry(RegistryName=_REGISTRY)
        try:
            with GlueSerde(glue, _REGISTRY) as java:
                yield Stations(glue, registry, java)
        except MissingServerError as error:
            give_up(error)


@pytest.fixture
def client(stations: Stations) -> Iterator[SchemaRegistryClient]:
    """Confluent's own."""
    with SchemaRegistryClient({"url": stations.confluent}) as client:
        yield client


def translated(settings: SchemaSettings, payloads: Sequence[bytes]) -> list[bytes]:
    """``payloads`` as values behind the step."""

    async def apply() -> Sequence[bytes | None]:
        async with step(settings, Clock()) as entered:
            return (await entered.apply(batch_of(payloads))).batch.values

    return [value for value in asyncio.run(apply()) if value is not None]


def context(topic: str) -> SerializationContext:
    return SerializationContext(topic, MessageField.VALUE)


def whole_order() -> dict[str, Any]:
    """The Avro schema with its parts in it, as Glue has to have it."""
    *others, total = ORDER["fields"]
    return {**ORDER, "fields": [*others, {**total, "type": MONEY}]}  # type: ignore[dict-item]


def test_avro_and_json_from_glue_and_back(stations: Stations, client: SchemaRegistryClient) -> None:
    """The same objects at every station, with and without zlib, and the same bodies."""
    topic = f"orders-{uuid4().hex}"
    schema = json.dumps(
        {
            "$schema": _DRAFT,
            "title": "O",
            "properties": {"total": {"$ref": "#/definitions/m"}},
            "definitions": {"m": {}},
        }
    )
    python = KafkaSerializer(stations.glue_client())
    plain = python.serialize(topic, DataAndSchema(AN_ORDER, AvroSchema(json.dumps(whole_order()))))
    packed = stations.java.write(
        "avro", f"{topic}-j", json.dumps(whole_order()), json.dumps(AN_ORDER), compression="zlib"
    )
    document = python.serialize(f"{topic}-d", DataAndSchema({"total": {"cents": 3}}, JsonSchema(schema)))

    there = translated(stations.to_confluent(), [plain, packed, document])
    back = translated(stations.to_glue(compressed=False), there)

    read = AvroDeserializer(client)
    assert [read(payload, context(topic)) for payload in there[:2]] == [AN_ORDER, AN_ORDER]
    read_document = JSONDeserializer(None, schema_registry_client=client)
    assert read_document(there[2], context(topic)) == {"total": {"cents": 3}}
    assert [json.loads(stations.java.read("back", payload)) for payload in back] == [
        AN_ORDER,
        AN_ORDER,
        {"total": {"cents": 3}},
    ]
    assert KafkaDeserializer(stations.glue_client()).deserialize("back", back[0]).data == AN_ORDER
    bodies = [plain[18:], zlib.decompress(packed[18:]), document[18:]]
    assert [payload[5:] for payload in there] == [payload[18:] for payload in back] == bodies


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("Order", b"\n\x03\n\x01x"),
        ("Order.Address", b"\n\x01x"),
        ("Order.Line.Detail", b"\n\x01x"),
        ("Customer", b""),
    ],
)
def test_protobuf_from_glue_and_back(stations: Stations, name: str, body: bytes) -> None:
    """Nested messages keep who they are, though the two count them otherwise; zlib covers the number too."""
    made = orders(whole=True)
    topic = f"protobuf-{uuid4().hex}"
    payload = stations.java.write("protobuf", topic, made.set, name, body, compression="zlib")

    there = translated(stations.to_confluent(), [payload])
    back = translated(stations.to_glue(compressed=True), there)

    read = ProtobufDeserializer(made.message(name), {"use.deprecated.format": False})(there[0], context(topic))
    assert read is not None
    assert read.SerializeToString() == body
    assert stations.java.read_message("back", back[0]) == (f"shop.{name}", body)
    assert zlib.decompress(back[0][18:]) == zlib.decompress(payload[18:])


def test_references_from_confluent_to_glue(stations: Stations, client: SchemaRegistryClient) -> None:
    """Schemas that refer to others are whole at Glue: Avro, JSON and Protobuf, read there by AWS's own deserializers."""
    topic = f"refer-{uuid4().hex}"
    avro = _avro_with_references(client, topic)
    document = _json_with_references(client, f"{topic}-d")
    made = orders(whole=False)
    message = made.message("Order")(lines=[{"sku": "x", "detail": {"text": "t"}}], total={"cents": 3})
    serializer = ProtobufSerializer(made.message("Order"), client, {"use.deprecated.format": False})
    protobuf = serializer(message, context(f"{topic}-p"))
    assert protobuf is not None

    there = translated(stations.to_glue(compressed=True), [avro, document, protobuf])
    back = translated(stations.to_confluent(), there)

    assert json.loads(stations.java.read("refer", there[0])) == AN_ORDER
    assert json.loads(stations.java.read("refer", there[1])) == {"total": {"cents": 3}}
    assert stations.java.read_message("refer", there[2]) == ("shop.Order", message.SerializeToString())
    assert AvroDeserializer(client)(back[0], context(topic)) == AN_ORDER
    assert JSONDeserializer(None, schema_registry_client=client)(back[1], context(topic)) == {"total": {"cents": 3}}
    assert [payload[5:] for payload in back] == [payload[5:] for payload in (avro, document, protobuf)]


def _avro_with_references(client: SchemaRegistryClient, topic: str) -> bytes:
    client.register_schema(f"{topic}-money", Schema(json.dumps(MONEY)))
    schema = Schema(json.dumps(ORDER), "AVRO", [SchemaReference("shop.Money", f"{topic}-money", 1)])
    payload = AvroSerializer(client, schema)(AN_ORDER, context(topic))
    assert payload is not None
    return payload


def _json_with_references(client: SchemaRegistryClient, topic: str) -> bytes:
    money = {"$schema": _DRAFT, "$id": "money.json", "type": "object", "properties": {"cents": {"type": "integer"}}}
    client.register_schema(f"{topic}-money", Schema(json.dumps(money), "JSON"))
    order = {"$schema": _DRAFT, "title": "Order", "type": "object", "properties": {"total": {"$ref": "money.json"}}}
    schema = Schema(json.dumps(order), "JSON", [SchemaReference("money.json", f"{topic}-money", 1)])
    payload = JSONSerializer(schema, client)({"total": {"cents": 3}}, context(topic))
    assert payload is not None
    return payload
