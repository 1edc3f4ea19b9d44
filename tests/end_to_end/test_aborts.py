"""A transaction is given up while the broker's answers to it are lost."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest

from connectors.base import Clock, ConnectorError, Observer
from connectors.kafka.settings import KafkaSinkSettings, Transactional
from connectors.kafka.sink import KafkaSink
from tests.connectors.kafka.sending import numbered
from tests.contracts.sink import deliver
from tests.end_to_end.conftest import HarmedKafka
from tests.support.group_member import EverySave, member
from tests.support.kafka_reader import read_topic, until_settled
from tests.support.topics import create_topic
from tests.support.waiting import eventually

pytestmark = pytest.mark.broker


@pytest.mark.parametrize("times", [pytest.param(2, id="small"), pytest.param(50, id="full", marks=pytest.mark.long)])
async def test_records_of_an_aborted_transaction_come_with_the_next_one(harmed_kafka: HarmedKafka, times: int) -> None:
    """Also those that the broker has from the first attempt, and that nobody knows it has."""
    broker, proxy = harmed_kafka.broker.address, harmed_kafka.proxy
    topic = f"topic-{uuid4().hex[:12]}"
    create_topic(broker, topic, 1)
    async with _sink(proxy.address, broker, topic) as sink:
        for number in range(times):
            scope = await sink.begin()
            proxy.to_swallow = 1
            answer = scope.submit("lane", numbered(number * 3, 3))
            await eventually(lambda: proxy.to_swallow == 0, "an acknowledgement lost")
            scope.abort()
            with pytest.raises(ConnectorError):
                await answer
            await deliver(sink, numbered(number * 3, 3))
    await until_settled(broker, topic)
    arrived = [record.value for record in await read_topic(broker, topic)]
    assert arrived == [b"%d" % number for number in range(times * 3)]


@asynccontextmanager
async def _sink(address: str, broker: str, topic: str) -> AsyncIterator[KafkaSink]:
    slots = f"slots-{topic}"
    create_topic(broker, slots, 1)
    async with member(broker, slots) as group:
        transactional = Transactional(topic, slots, group, EverySave())
        async with KafkaSink(
            KafkaSinkSettings(address, topic), Clock(), Observer(), transactional=transactional
        ) as sink:
            yield sink
