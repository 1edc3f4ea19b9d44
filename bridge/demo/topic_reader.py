"""Reads the topic along while the mirror writes it, as any other consumer would."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import TracebackType
from typing import Self, cast

from confluent_kafka import Consumer, Message, TopicPartition

from bridge.demo.embedded_kafka import TopicAddress
from bridge.demo.workload import sent_ns
from bridge.errors import BridgeError
from bridge.parity.comparison import Side
from bridge.parity.entry import Entry, Identity, entry
from connectors.base import ORIGIN_HEADER, Header
from connectors.provenance import parse

_POLL_S = 0.05
_REQUEST_S = 10.0


class TopicReader:
    """Reads from the topic's beginning while entered, in a thread of its own."""

    def __init__(self, address: TopicAddress) -> None:
        self._address = address
        self._side = Side()
        self.latencies_ns: list[int] = []
        """From the sending of each record to its arrival here."""
        self.last_ns = 0
        """When the latest record arrived."""
        self._last_call = Event()
        self._stop = Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="topic-reader")
        self._reading: asyncio.Future[Side] | None = None

    async def __aenter__(self) -> Self:
        self._reading = asyncio.get_running_loop().run_in_executor(self._thread, self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._reading is not None:
            await asyncio.wait([self._reading])
        self._thread.shutdown(wait=False)

    @property
    def arrived(self) -> int:
        """Records read so far. Raises what reading ended with, if it did."""
        if self._reading is not None and self._reading.done():
            self._reading.result()
        return len(self._side.entries)

    async def rest(self) -> Side:
        """Everything in the topic, once it is read to where it ends now. Nobody may be writing any more."""
        if self._reading is None:
            raise RuntimeError("the reader is not entered")
        self._last_call.set()
        return await asyncio.shield(self._reading)

    def _read(self) -> Side:
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
        return self._side

    def _read_along(self, consumer: Consumer) -> None:
        while not (self._last_call.is_set() or self._stop.is_set()):
            self._take(consumer.poll(_POLL_S))

    def _read_to_the_end(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        ends = {
            each.partition: consumer.get_watermark_offsets(each, timeout=_REQUEST_S, cached=False)[1]
            for each in partitions
        }
        while not self._stop.is_set():
            reached = {each.partition: max(each.offset, 0) for each in consumer.position(partitions)}
            if all(reached[partition] >= end for partition, end in ends.items()):
                return
            self._take(consumer.poll(_POLL_S))

    def _take(self, message: Message | None) -> None:
        if message is None:
            return
        failure = message.error()
        if failure is not None:
            raise BridgeError(
                "read the embedded Kafka", failure.str(), "it keeps about 5 MiB a partition; try with fewer --records"
            )
        self.last_ns = time.time_ns()
        self._side.add(_entry(message))
        value = message.value()
        if value is not None:
            self.latencies_ns.append(self.last_ns - sent_ns(value))


def _entry(message: Message) -> Entry:
    # The stub also allows a dictionary and text, which only producing takes.
    headers = cast("list[Header]", message.headers() or [])
    place = f"{message.topic()}/{message.partition()}"
    return entry(_identity(message, headers), place, message.key(), message.value(), headers)


def _identity(message: Message, headers: list[Header]) -> Identity:
    """Where the record says it comes from; one that does not say so comes from nowhere in the stream."""
    origins = [content for name, content in headers if name == ORIGIN_HEADER and content is not None]
    if not origins:
        return Identity(f"no origin, {message.topic()}/{message.partition()}", str(message.offset()))
    hop = parse(origins[-1])
    return Identity(hop.partition, hop.position)
