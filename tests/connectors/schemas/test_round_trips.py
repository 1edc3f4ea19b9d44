"""What official serializers of one registry write, official deserializers of the other read, there and back.

AWS's are those in Java, and for Avro and JSON those of the package for Python that is best known; Confluent's are their
own, for Python. Glue is moto's, Confluent's registry is Apicurio.
"""

import asyncio
import json
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
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
from connectors.schemas.step import SchemaStep
from tests.connectors.schemas.batches import batch_of
from tests.connectors.schemas.proto_files import orders
from tests.support.glue_serde import GlueSerde
from tests.support.kinesis_api import REGION
from tests.support.missing import give_up
from tests.support.moto import moto_server
from tests.support.provision import MissingServerError

_REGISTRY = f"shop-{uuid4().hex}"
"""Moto's servers have one memory a process."""
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
    """The two registries, what reads and writes with them, and the steps between them."""

    glue: str
    confluent: str
    java: GlueSerde
    runner: asyncio.Runner
    to_confluent: SchemaStep
    to_glue: SchemaStep
    to_glue_compressed: SchemaStep

    def glue_client(self) -> GlueClient:
        return GlueClient(boto3.client("glue", endpoint_url=self.glue), registry_name=_REGISTRY)

    def translated(self, step: SchemaStep, payloads: Sequence[bytes]) -> list[bytes]:
        """``payloads`` as values behind ``step``."""
        made = self.runner.run(step.apply(batch_of(payloads)))
        return [value for value in made.batch.values if value is not None]


@pytest.fixture(scope="module")
def stations(registry: str) -> Iterator[Stations]:
    with asyncio.Runner() as runner, moto_server() as glue, ExitStack() as opened:
        boto3.client("glue", endpoint_url=glue).create_registry(RegistryName=_REGISTRY)
        there = SchemaSettings(
            GlueSettings(_REGISTRY, REGION, glue), ConfluentSettings((registry,)), "there", "there", "{subject}"
        )
        back = replace(there, source=there.target, target=there.source, subject="back-{subject}")
        packed = replace(back, target=GlueSettings(_REGISTRY, REGION, glue, compressed=True))
        steps = [step(settings, Clock()) for settings in (there, back, packed)]
        for each in steps:
            runner.run(each.__aenter__())
            opened.callback(lambda left: runner.run(left.__aexit__(None, None, None)), each)
        try:
            java = opened.enter_context(GlueSerde(glue, _REGISTRY))
        except MissingServerError as error:
            give_up(error)
        yield Stations(glue, registry, java, runner, *steps)


@pytest.fixture
def client(stations: Stations) -> Iterator[SchemaRegistryClient]:
    """Confluent's own."""
    with SchemaRegistryClient({"url": stations.confluent}) as client:
        yield client


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

    there = stations.translated(stations.to_confluent, [plain, packed, document])
    back = stations.translated(stations.to_glue, there)

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

    there = stations.translated(stations.to_confluent, [payload])
    back = stations.translated(stations.to_glue_compressed, there)

    read = ProtobufDeserializer(made.message(name), {"use.deprecated.format": False})(there[0], context(topic))
    assert read is not None
    assert read.SerializeToString() == body
    assert stations.java.read_message("back", back[0]) == (f"shop.{name}", body)
    assert zlib.decompress(back[0][18:]) == zlib.decompress(payload[18:])


def test_references_from_confluent_to_glue(stations: Stations, client: SchemaRegistryClient) -> None:
    """Schemas that refer to others are whole at Glue, in all three formats, and read there by AWS's deserializers."""
    topic = f"refer-{uuid4().hex}"
    avro = _avro_with_references(client, topic)
    document = _json_with_references(client, f"{topic}-d")
    made = orders(whole=False)
    message = made.message("Order")(lines=[{"sku": "x", "detail": {"text": "t"}}], total={"cents": 3})
    serializer = ProtobufSerializer(made.message("Order"), client, {"use.deprecated.format": False})
    protobuf = serializer(message, context(f"{topic}-p"))
    assert protobuf is not None

    there = stations.translated(stations.to_glue_compressed, [avro, document, protobuf])
    back = stations.translated(stations.to_confluent, there)

    assert json.loads(stations.java.read("refer", there[0])) == AN_ORDER
    assert json.loads(stations.java.read("refer", there[1])) == {"total": {"cents": 3}}
    assert stations.java.read_message("refer", there[2]) == ("shop.Order", message.SerializeToString())
    assert AvroDeserializer(client)(back[0], context(topic)) == AN_ORDER
    assert JSONDeserializer(None, schema_registry_client=client)(back[1], context(topic)) == {"total": {"cents": 3}}
    assert [payload[5:] for payload in back] == [payload[5:] for payload in (avro, document, protobuf)]


def _avro_with_references(client: SchemaRegistryClient, topic: str) -> bytes:
    client.register_schema(f"{topic}-money", Schema(json.dumps(MONEY)))
    schema = Schema(json.dumps(ORDER), "AVRO", [SchemaReference("shop.Money", f"{topic}-money", 1)])
    return bytes(AvroSerializer(client, schema)(AN_ORDER, context(topic)) or b"")


def _json_with_references(client: SchemaRegistryClient, topic: str) -> bytes:
    money = {"$schema": _DRAFT, "$id": "money.json", "type": "object", "properties": {"cents": {"type": "integer"}}}
    client.register_schema(f"{topic}-money", Schema(json.dumps(money), "JSON"))
    order = {"$schema": _DRAFT, "title": "Order", "type": "object", "properties": {"total": {"$ref": "money.json"}}}
    schema = Schema(json.dumps(order), "JSON", [SchemaReference("money.json", f"{topic}-money", 1)])
    return bytes(JSONSerializer(schema, client)({"total": {"cents": 3}}, context(topic)) or b"")
