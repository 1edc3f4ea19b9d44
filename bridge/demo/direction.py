"""The two ways between the embedded servers: who writes where, and how what both hold is read."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from bridge.demo.embedded_kafka import TopicAddress
from bridge.demo.embedded_kinesis import StreamAddress
from bridge.demo.origin import at_the_source, in_the_sink
from bridge.demo.reader import Reader
from bridge.demo.stream_reader import StreamReader, read_stream
from bridge.demo.stream_writer import into_stream
from bridge.demo.topic_reader import TopicReader
from bridge.demo.topic_writer import into_topic
from bridge.demo.workload import Workload
from bridge.demo.writer import Writer
from bridge.parity.run import Run


@dataclass(frozen=True, slots=True)
class Passage:
    """Everything around the mirror."""

    writer: Writer
    source: Callable[[], Awaitable[Sequence[Run]]]
    """All that the source holds. Nobody may be writing any more."""
    sink: Reader


Direction = Callable[[StreamAddress, TopicAddress, Workload, float], AbstractAsyncContextManager[Passage]]
"""The passage between the two for a workload, written at so many records a second."""


@asynccontextmanager
async def kinesis_to_kafka(
    stream: StreamAddress, topic: TopicAddress, workload: Workload, per_second: float
) -> AsyncIterator[Passage]:
    async def source() -> Sequence[Run]:
        return await asyncio.to_thread(read_stream, stream)

    async with TopicReader(topic, in_the_sink) as sink:
        yield Passage(Writer(into_stream(stream), workload, per_second), source, sink)


@asynccontextmanager
async def kafka_to_kinesis(
    stream: StreamAddress, topic: TopicAddress, workload: Workload, per_second: float
) -> AsyncIterator[Passage]:
    # The embedded Kafka drops what is old, so the source is read along too.
    async with TopicReader(topic, at_the_source) as source, StreamReader(stream, in_the_sink) as sink:
        yield Passage(Writer(into_topic(topic), workload, per_second), source.rest, sink)
