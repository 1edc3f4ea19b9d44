"""The Kafka source keeps the contract of sources, against a real broker."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from connectors.kafka.source import KafkaSource
from tests.connectors.kafka.reading import source_of
from tests.contracts.source import SourceContract, World
from tests.support.factories import TopicFactory


class KafkaWorld(World):
    def __init__(self, source: KafkaSource, producer: Any, topic: str) -> None:
        self.source = source
        self._producer = producer
        self._topic = topic

    async def put(self, key: bytes, value: bytes) -> None:
        await self._producer.send_and_wait(self._topic, value, key)


class TestKafkaSource(SourceContract):
    @pytest.fixture
    async def world(self, kafka: str, topic: TopicFactory) -> AsyncIterator[World]:
        name = topic(partitions=2)
        producer = AIOKafkaProducer(bootstrap_servers=kafka)
        await producer.start()
        try:
            async with source_of(kafka, name) as source:
                yield KafkaWorld(source, producer, name)
        finally:
            await producer.stop()
