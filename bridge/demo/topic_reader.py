"""Reads the topic along."""

from typing import cast

from confluent_kafka import Consumer, Message, TopicPartition

from bridge.demo.embedded_kafka import TopicAddress
from bridge.demo.origin import Identify
from bridge.demo.reader import Reader
from bridge.errors import BridgeError
from bridge.parity.digest import content
from bridge.parity.run import Run
from connectors.base import Header

_POLL_S = 0.05
_REQUEST_S = 10.0


class TopicReader(Reader):
    def __init__(self, address: TopicAddress, identify: Identify) -> None:
        super().__init__()
        self._address = address
        self._identify = identify

    def _read(self) -> None:
        consumer = Consumer(
            {
                "bootstrap.servers": self._address.server,
                "group.id": "demo",
                "enable.auto.commit": False,
                # Records dropped before they are read would otherwise be skipped without a word.
                "auto.offset.reset": "error",
                # The embedded broker answers an empty fetch only when this time is over.
                "fetch.wait.max.ms": 10,
                "log_level": 0,
            }
        )
        partitions = [TopicPartition(self._address.topic, number, 0) for number in range(self._address.partitions)]
        try:
            consumer.assign(partitions)
            self._read_along(consumer)
            self._read_to_the_end(consumer, partitions)
        finally:
            consumer.close()

    def _read_along(self, consumer: Consumer) -> None:
        while not (self._last_call.is_set() or self._stop.is_set()):
            self._take_message(consumer.poll(_POLL_S))

    def _read_to_the_end(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        ends = {
            each.partition: consumer.get_watermark_offsets(each, timeout=_REQUEST_S, cached=False)[1]
            for each in partitions
        }
        while not self._stop.is_set():
            reached = {each.partition: max(each.offset, 0) for each in consumer.position(partitions)}
            if all(reached[partition] >= end for partition, end in ends.items()):
                return
            self._take_message(consumer.poll(_POLL_S))

    def _take_message(self, message: Message | None) -> None:
        if message is None:
            return
        failure = message.error()
        if failure is not None:
            raise BridgeError(
                "read the embedded Kafka", failure.str(), "it keeps about 5 MiB a partition; try with fewer --records"
            )
        # The stub also allows a dictionary and text, which only producing takes.
        headers = tuple(cast("list[Header]", message.headers() or []))
        partition, offset = str(message.partition()), str(message.offset())
        origin, position = self._identify(partition, offset, headers)
        key, value = message.key(), message.value()
        self._take(Run(origin, partition, [position], [offset], [key], [value], [content(headers)]))
