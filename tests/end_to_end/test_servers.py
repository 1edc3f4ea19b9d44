"""The servers of the tests are what they claim to be: real, restartable, strict."""

import asyncio
from typing import Any
from uuid import uuid4

import boto3
from confluent_kafka import Producer

from tests.support.checker import check_exact
from tests.support.factories import OwnKafka, OwnKinesis, StreamFactory, TopicFactory
from tests.support.kafka_reader import ids_by_key, read_topic
from tests.support.kinesis_api import create_stream, kinesis_client, kinesis_session
from tests.support.kinesis_writer import write_records
from tests.support.records import Stamp, generate
from tests.support.records import ids_by_key as sent_ids_by_key
from tests.support.topics import create_topic

RECORDS = 2_000
KEYS = 50


def _produce(address: str, topic: str, **settings: Any) -> None:
    producer = Producer({"bootstrap.servers": address, "enable.idempotence": True, **settings})
    for record in generate(RECORDS, KEYS):
        producer.produce(topic, record.value(0), record.key)
    assert producer.flush(30) == 0


async def test_a_topic_is_read_back_whole_and_in_order(kafka: str, topic: TopicFactory) -> None:
    name = topic(partitions=4)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        compressed = topic(partitions=2)
        await asyncio.to_thread(_produce, kafka, compressed, **{"compression.type": codec})
        arrived = ids_by_key(await read_topic(kafka, compressed))
        verdict = check_exact(sent_ids_by_key(generate(RECORDS, KEYS)), arrived)
        assert verdict.ok, f"{codec}: {verdict}"
    assert await read_topic(kafka, name) == []


async def test_an_aborted_transaction_is_not_read(kafka: str, topic: TopicFactory) -> None:
    name = topic(partitions=1)

    def transact() -> None:
        producer = Producer({"bootstrap.servers": kafka, "transactional.id": name})
        producer.init_transactions(30)
        for value, commit in ((b"kept", True), (b"dropped", False)):
            producer.begin_transaction()
            producer.produce(name, value)
            producer.flush(30)
            producer.commit_transaction(30) if commit else producer.abort_transaction(30)

    await asyncio.to_thread(transact)
    assert [record.value for record in await read_topic(kafka, name)] == [b"kept"]
    everything = await read_topic(kafka, name, "read_uncommitted")
    assert [record.value for record in everything] == [b"kept", b"dropped"]


async def test_a_broker_keeps_port_and_records_through_stop_kill_and_freeze(own_kafka: OwnKafka) -> None:
    broker = own_kafka()
    address = broker.address
    create_topic(address, "kept", 2)
    await asyncio.to_thread(_produce, address, "kept")
    broker.stop()
    broker.start()
    broker.kill()
    broker.start()
    broker.freeze()
    broker.thaw()
    assert broker.address == address
    assert len(await read_topic(address, "kept")) == RECORDS


async def test_a_stream_holds_what_was_written_in_order(kinesis: str, stream: StreamFactory) -> None:
    name = stream(shards=2)
    assert await write_records(kinesis, name, generate(RECORDS, KEYS)) == RECORDS
    verdict = check_exact(sent_ids_by_key(generate(RECORDS, KEYS)), await _ids_in_stream(kinesis, name))
    assert verdict.ok, verdict


async def test_throttled_entries_are_written_in_order(own_kinesis: OwnKinesis) -> None:
    server = own_kinesis(enforce_limits=True)
    create_stream(server.address, "narrow", 1)
    sent = list(generate(1_500, 300))
    assert await write_records(server.address, "narrow", sent) == 1_500
    verdict = check_exact(sent_ids_by_key(sent), await _ids_in_stream(server.address, "narrow"))
    assert verdict.ok, verdict


def test_a_durable_server_keeps_its_streams_through_kill(own_kinesis: OwnKinesis, tmp_path: Any) -> None:
    server = own_kinesis(state_dir=tmp_path / "state")
    create_stream(server.address, "kept", 3)
    server.kill()
    server.start()
    client = kinesis_client(server.address)
    assert client.list_streams()["StreamNames"] == ["kept"]
    client.close()


def test_moto_serves_tables(moto: str) -> None:
    client = boto3.client("dynamodb", endpoint_url=moto)
    name = f"table-{uuid4().hex[:12]}"
    client.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    assert name in client.list_tables()["TableNames"]
    client.close()


async def _ids_in_stream(url: str, stream: str) -> dict[bytes, list[int]]:
    ids: dict[bytes, list[int]] = {}
    async with kinesis_session(url) as client:
        for shard in (await client.list_shards(StreamName=stream))["Shards"]:
            answer = await client.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )
            iterator = answer["ShardIterator"]
            while records := (answer := await client.get_records(ShardIterator=iterator))["Records"]:
                for record in records:
                    ids.setdefault(record["PartitionKey"].encode(), []).append(Stamp.of(record["Data"]).id)
                iterator = answer["NextShardIterator"]
    return ids
