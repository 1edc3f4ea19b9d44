"""The proxy before a broker loses acknowledgements and connections, and nothing else."""

import asyncio
from uuid import uuid4

import pytest
from confluent_kafka import Producer

from tests.end_to_end.conftest import HarmedKafka
from tests.support.checker import check_exact
from tests.support.kafka_reader import ids_by_key, read_topic
from tests.support.records import generate
from tests.support.records import ids_by_key as sent_ids_by_key
from tests.support.topics import create_topic

pytestmark = pytest.mark.broker


async def test_lost_acknowledgements_and_connections_are_what_it_makes(harmed_kafka: HarmedKafka) -> None:
    """The broker keeps what it received: an idempotent producer makes it good, one of another kind repeats records."""
    proxy = harmed_kafka.proxy
    sent = list(generate(500, 20))

    def produce(topic: str, **settings: object) -> None:
        producer = Producer({"bootstrap.servers": proxy.address, "linger.ms": 0, "log_level": 0, **settings})
        for record in sent:
            producer.produce(topic, record.value(0), record.key)
            if record.id == 100:
                producer.flush(30)
                proxy.to_swallow = 1
            if record.id == 300:
                proxy.cut()
        assert producer.flush(30) == 0

    for idempotent in (True, False):
        topic = f"topic-{uuid4().hex[:12]}"
        create_topic(harmed_kafka.broker.address, topic, 1)
        before = proxy.swallowed
        await asyncio.to_thread(produce, topic, **{"enable.idempotence": idempotent})
        verdict = check_exact(sent_ids_by_key(sent), ids_by_key(await read_topic(harmed_kafka.broker.address, topic)))
        assert proxy.swallowed == before + 1
        assert verdict.ok == idempotent, verdict
        assert not verdict.missing
