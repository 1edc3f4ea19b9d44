"""The mirror of the demo: the one that ``kmbridge run`` runs, between the two embedded servers."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from bridge.assembly import assemble
from bridge.config import Configuration
from bridge.demo.embedded_kafka import TopicAddress
from bridge.demo.embedded_kinesis import StreamAddress
from bridge.groups import together
from bridge.telemetry.counters import Counters
from connectors.base import Clock

NAME = "demo"

End = Mapping[str, Mapping[str, object]]
"""What stands under ``source`` or ``sink`` in a configuration."""


@asynccontextmanager
async def stream_into_topic(stream: StreamAddress, topic: TopicAddress, folder: Path) -> AsyncIterator[None]:
    """Mirrors while the context lasts; leaving it drains. What fails the mirror is raised into the context."""
    async with _mirroring(_configuration(_stream(stream), _topic(topic), folder)):
        yield


@asynccontextmanager
async def topic_into_stream(stream: StreamAddress, topic: TopicAddress, folder: Path) -> AsyncIterator[None]:
    """As ``stream_into_topic``, the other way."""
    async with _mirroring(_configuration(_topic(topic), _stream(stream), folder)):
        yield


@asynccontextmanager
async def _mirroring(configuration: Configuration) -> AsyncIterator[None]:
    assembly = assemble(configuration, observer=Counters(), clock=Clock(), random=Random())
    async with assembly.opened(), together() as tasks:
        tasks.create_task(assembly.mirror.run(), name="mirror")
        yield
        assembly.mirror.drain()


def _stream(stream: StreamAddress) -> End:
    return {"kinesis": {"stream": stream.stream, "region": stream.region, "endpoint_url": stream.url}}


def _topic(topic: TopicAddress) -> End:
    return {"kafka": {"bootstrap_servers": [topic.server], "topic": topic.topic}}


def _configuration(source: End, sink: End, folder: Path) -> Configuration:
    """Checkpoints are in a file: the embedded Kafka has none of what keeping them there takes."""
    database = str(folder / f"{NAME}.kmbridge.db")
    return Configuration.model_validate(
        {"name": NAME, "source": source, "sink": sink, "checkpoints": {"sqlite": {"path": database}}, "http": None}
    )
