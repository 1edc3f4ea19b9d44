"""A mirror between two schema registries, over real servers: what one side wrote is read with the other's ids."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import boto3
import pytest
from aws_schema_registry import DataAndSchema, SchemaRegistryClient
from aws_schema_registry.avro import AvroSchema
from aws_schema_registry.serde import KafkaSerializer
from confluent_kafka.schema_registry import SchemaRegistryClient as ConfluentClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.support.gate import gate_before
from tests.support.kafka_reader import TopicRecord
from tests.support.kinesis_api import REGION, kinesis_client
from tests.support.route import Route, RouteFactory
from tests.support.verifying import verified

KEYS = 5
SHOP = f"shop-{uuid4().hex}"
"""Moto's servers have one memory a process."""


def schema(*more: str) -> AvroSchema:
    fields = [{"name": "id", "type": "int"}, *({"name": each, "type": "string", "default": ""} for each in more)]
    return AvroSchema(json.dumps({"type": "record", "name": "Order", "namespace": "shop", "fields": fields}))


def steps(glue: str, registry: str) -> Mapping[str, Any]:
    source = {"glue": {"registry": SHOP, "region": REGION, "endpoint_url": glue}}
    return {"transforms": [{"schemas": {"from": source, "to": {"confluent": {"url": registry}}}}]}


def put(path: Route, glue: str, ids: Sequence[int], written: AvroSchema) -> None:
    """Orders with these ids, as AWS's own serializer writes them."""
    serializer = KafkaSerializer(SchemaRegistryClient(boto3.client("glue", endpoint_url=glue), registry_name=SHOP))
    client = kinesis_client(path.kinesis)
    try:
        for number in ids:
            data = serializer.serialize(path.stream, DataAndSchema({"id": number, "note": "n"}, written))
            client.put_record(StreamName=path.stream, PartitionKey=str(number % KEYS), Data=data)
    finally:
        client.close()


def read(records: Sequence[TopicRecord], registry: str, topic: str) -> dict[bytes | None, list[Any]]:
    """Of each key the objects in order, as Confluent's own deserializer reads them."""
    found: dict[bytes | None, list[Any]] = {}
    with ConfluentClient({"url": registry}) as client:
        deserializer = AvroDeserializer(client)
        for record in records:
            order = deserializer(record.value, SerializationContext(topic, MessageField.VALUE))
            found.setdefault(record.key, []).append(order)
    return found


@pytest.mark.parametrize(
    "count", [pytest.param(60, id="small"), pytest.param(3_000, id="full", marks=pytest.mark.long)]
)
async def test_nothing_passes_while_a_registry_is_down_and_all_is_read_once_it_is_back(
    route: RouteFactory, moto: str, registry: str, count: int
) -> None:
    """Records with a new schema wait in their lanes, which say why; then each is there once, in order, readable."""
    path = route(shards=2)
    glue = boto3.client("glue", endpoint_url=moto)
    glue.create_registry(RegistryName=SHOP)
    await asyncio.to_thread(put, path, moto, range(count), schema())
    async with gate_before(registry.removesuffix("/apis/ccompat/v7")) as gate:
        url = f"{gate.url}/apis/ccompat/v7"
        more = {**steps(moto, url), "checkpoints": None, "name": path.topic}
        async with path.mirror(more) as mirror:
            await mirror.until_written(count)
            gate.is_open = False
            name = {"RegistryName": SHOP, "SchemaName": f"{path.stream}-value"}
            glue.register_schema_version(SchemaId=name, SchemaDefinition=str(schema("note")))
            await asyncio.to_thread(put, path, moto, range(count, 2 * count), schema("note"))
            await mirror.until(
                lambda status: any("HTTP 503" in str(lane["error"]) for lane in status["lanes"]), "a lane that says why"
            )
            assert len(await path.records()) == count
            gate.is_open = True
            await mirror.until_written(2 * count)
            assert await mirror.stop() == 0
        found = await asyncio.to_thread(read, await path.records(), registry, path.topic)
        verdict = await verified(mirror.config)
    expected = {
        str(key).encode(): [
            {"id": number} if number < count else {"id": number, "note": "n"}
            for number in range(2 * count)
            if number % KEYS == key
        ]
        for key in range(KEYS)
    }
    assert found == expected
    assert (verdict.code, verdict.found) == (0, {}), verdict.printed
