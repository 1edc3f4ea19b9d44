"""Writes records into the topic."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from confluent_kafka import KafkaError, Message, Producer

from bridge.demo.embedded_kafka import TopicAddress
from bridge.demo.writer import Send
from bridge.errors import BridgeError

_REQUEST_S = 10.0


@contextmanager
def into_topic(address: TopicAddress) -> Iterator[Send]:
    """Keys go where every Java producer puts them."""
    producer = Producer({"bootstrap.servers": address.server, "partitioner": "murmur2_random", "log_level": 0})
    refused: list[str] = []

    def heard(error: KafkaError | None, _: Message) -> None:
        if error is not None:
            refused.append(error.str())

    def send(records: Sequence[tuple[str, bytes]]) -> None:
        for key, value in records:
            producer.produce(address.topic, value, key.encode(), on_delivery=heard)
        if producer.flush(_REQUEST_S) or refused:
            raise BridgeError("write to the embedded Kafka", refused[0] if refused else "it does not answer")

    try:
        yield send
    finally:
        producer.close()
