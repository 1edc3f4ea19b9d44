"""The Kafka sink keeps the contract of sinks, against a real broker."""

from collections.abc import AsyncIterator, Sequence

import pytest

from connectors.base import Record
from tests.connectors.kafka.sending import sink_to
from tests.contracts.sink import SinkContract, Target
from tests.support.factories import TopicFactory
from tests.support.kafka_reader import read_topic


class KafkaTarget(Target):
    def __init__(self, address: str, topic: str) -> None:
        self._address = address
        self._topic = topic
        self.sink = sink_to(address, topic)

    async def written(self) -> Sequence[Record]:
        return [
            Record(str(each.partition), str(each.offset), each.key, each.value, each.timestamp_ms, each.headers)
            for each in await read_topic(self._address, self._topic)
        ]


class TestKafkaSink(SinkContract):
    @pytest.fixture
    async def target(self, kafka: str, topic: TopicFactory) -> AsyncIterator[Target]:
        # The suite's records keep their times, which lie long ago: they must not expire under its hands.
        target = KafkaTarget(kafka, topic(partitions=3, config={"retention.ms": "-1"}))
        async with target.sink:
            yield target
