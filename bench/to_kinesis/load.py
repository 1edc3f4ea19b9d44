"""What is mirrored: the topic of the benchmark."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import uuid4

from confluent_kafka import Producer

from bench.load import PARTITIONS, SAMPLE, VALUE_BYTES
from tests.support.records import TestRecord, generate
from tests.support.topics import create_topic


@dataclass(frozen=True, slots=True)
class TopicLoad:
    """A filled topic: values of 1 KB, half of them random, compressed with lz4."""

    topic: str
    counts: Counter[bytes] = field(default_factory=Counter)
    """How many records each key has."""

    @property
    def records(self) -> int:
        return self.counts.total()


def fill(kafka: str, records: Iterator[TestRecord], partitions: int = PARTITIONS) -> TopicLoad:
    """A new topic that holds ``records``, each key in order."""
    load = TopicLoad(f"bench-{uuid4().hex[:12]}")
    create_topic(kafka, load.topic, partitions)
    producer = Producer(
        {
            "bootstrap.servers": kafka,
            "enable.idempotence": True,
            "partitioner": "murmur2_random",
            "compression.type": "lz4",
            "linger.ms": 20,
            "queue.buffering.max.messages": 0,
            "queue.buffering.max.kbytes": 2_000_000,
        }
    )
    for number, record in enumerate(records):
        key = record.key.encode()
        load.counts[key] += 1
        producer.produce(load.topic, record.value(0), key)
        if number % 1000 == 0:
            producer.poll(0)
    if left := producer.flush(60):
        raise RuntimeError(f"{left} records not written into {load.topic}")
    return load


def random_load(kafka: str, records: int, keys: int) -> TopicLoad:
    """``records`` records of about ``keys`` keys in random turns."""
    return fill(kafka, generate(records, keys, size=VALUE_BYTES))


def sample_load(kafka: str) -> TopicLoad:
    """A few records, whose mirroring costs nothing but the program's start."""
    return random_load(kafka, SAMPLE, SAMPLE)
