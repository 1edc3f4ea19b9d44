"""Stands in for the mirror: copies one end into the other in the simplest way, with a fault if one is asked for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

from bridge.demo.course import Mirroring
from bridge.demo.embedded_kafka import TopicAddress
from bridge.demo.embedded_kinesis import StreamAddress
from connectors.base import Batch, Place
from connectors.codecs.catalogue import codec_named


@dataclass
class Copied:
    key: bytes
    value: bytes
    origin: bytes


Fault = Callable[[list[Copied]], None]
"""Changes everything that is to be copied, once all of it is read."""
Copy = Callable[[StreamAddress, TopicAddress, int, Fault], None]


def stream_copier(records: int, fault: Fault) -> Mirroring:
    """Reads the stream until it has seen ``records``, and writes them into the topic when it is left."""
    return _copier(_stream_into_topic, records, fault)


def topic_copier(records: int, fault: Fault) -> Mirroring:
    """As ``stream_copier``, the other way."""
    return _copier(_topic_into_stream, records, fault)


def _copier(copy: Copy, records: int, fault: Fault) -> Mirroring:
    @asynccontextmanager
    async def copying(stream: StreamAddress, topic: TopicAddress, _: Path) -> AsyncIterator[None]:
        copying_all = asyncio.create_task(asyncio.to_thread(copy, stream, topic, records, fault))
        yield
        await copying_all

    return copying


def _stream_into_topic(stream: StreamAddress, topic: TopicAddress, records: int, fault: Fault) -> None:
    copied: list[Copied] = []
    client = stream.client()
    shards = client.list_shards(StreamName=stream.stream)["Shards"]
    iterators = {shard["ShardId"]: _start(client, stream.stream, shard["ShardId"]) for shard in shards}
    while len(copied) < records:
        for shard, iterator in iterators.items():
            answer = client.get_records(ShardIterator=iterator)
            iterators[shard] = answer["NextShardIterator"]
            copied += [_copied(record, shard) for record in answer["Records"]]
    fault(copied)
    _produce(topic, copied)


def _start(client: Any, stream: str, shard: str) -> Any:
    answer = client.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    return answer["ShardIterator"]


def _copied(record: Any, shard: str) -> Copied:
    origin = f"kinesis:r:a:orders/{shard}/{record['SequenceNumber']}>kafka:c:orders"
    return Copied(record["PartitionKey"].encode(), record["Data"], origin.encode())


def _produce(topic: TopicAddress, copied: list[Copied]) -> None:
    producer = Producer({"bootstrap.servers": topic.server, "partitioner": "murmur2_random", "log_level": 0})
    for record in copied:
        producer.produce(topic.topic, record.value, record.key, headers=[("kmbridge-origin", record.origin)])
    producer.flush(30)
    producer.close()


def _topic_into_stream(stream: StreamAddress, topic: TopicAddress, records: int, fault: Fault) -> None:
    copied: list[Copied] = []
    consumer = Consumer({"bootstrap.servers": topic.server, "group.id": "copier", "log_level": 0})
    consumer.assign([TopicPartition(topic.topic, number, 0) for number in range(topic.partitions)])
    while len(copied) < records:
        for message in consumer.consume(500, 0.1):
            key, value = message.key(), message.value()
            assert key is not None
            assert value is not None
            origin = f"kafka:c:orders/{message.partition()}/{message.offset()}>kinesis:r:a:orders"
            copied.append(Copied(key, value, origin.encode()))
    consumer.close()
    fault(copied)
    _put(stream, copied)


def _put(stream: StreamAddress, copied: list[Copied]) -> None:
    codec = codec_named("kpl")
    batch = Batch(
        "0",
        Place(),
        [str(number) for number in range(len(copied))],
        [record.key for record in copied],
        [record.value for record in copied],
        [1_764_000_000_000] * len(copied),
        origins=[record.origin for record in copied],
    )
    part = codec.encoder(batch)
    entries = [
        {"PartitionKey": key, "Data": codec.entry(key, [part(index)])}
        for index, key in enumerate(codec.partition_keys(batch))
    ]
    client = stream.client()
    for first in range(0, len(entries), 500):
        client.put_records(StreamName=stream.stream, Records=entries[first : first + 500])
