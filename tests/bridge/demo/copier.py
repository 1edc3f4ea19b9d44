"""Stands in for the mirror: copies the stream into the topic in the simplest way, with a fault if one is asked for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from bridge.demo.course import Mirroring
from bridge.demo.embedded_kafka import TopicAddress
from bridge.demo.embedded_kinesis import StreamAddress


@dataclass
class Copied:
    key: bytes
    value: bytes
    origin: bytes


Fault = Callable[[list[Copied]], None]
"""Changes everything that is to be copied, once all of it is read."""


def copier(records: int, fault: Fault) -> Mirroring:
    """Reads until it has seen ``records``, and writes them when it is left."""

    @asynccontextmanager
    async def copying(stream: StreamAddress, topic: TopicAddress, _: Path) -> AsyncIterator[None]:
        copying_all = asyncio.create_task(asyncio.to_thread(_copy, stream, topic, records, fault))
        yield
        await copying_all

    return copying


def _copy(stream: StreamAddress, topic: TopicAddress, records: int, fault: Fault) -> None:
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
