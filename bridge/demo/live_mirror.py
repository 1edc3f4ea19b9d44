"""The mirror of the demo: the one that ``kmbridge run`` runs, between the two embedded servers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

from bridge.assembly import assemble
from bridge.config import Configuration
from bridge.demo.embedded_kafka import TopicAddress
from bridge.demo.embedded_kinesis import StreamAddress
from bridge.groups import first
from bridge.telemetry.counters import Counters
from connectors.base import Clock

NAME = "demo"


@asynccontextmanager
async def live_mirror(stream: StreamAddress, topic: TopicAddress, folder: Path) -> AsyncIterator[None]:
    """Mirrors while the context lasts; leaving it drains. What fails the mirror is raised into the context."""
    assembly = assemble(configuration(stream, topic, folder), observer=Counters(), clock=Clock(), random=Random())
    try:
        async with assembly.opened(), asyncio.TaskGroup() as tasks:
            tasks.create_task(assembly.mirror.run(), name="mirror")
            yield
            assembly.mirror.drain()
    except ExceptionGroup as errors:
        raise first(errors) from None


def configuration(stream: StreamAddress, topic: TopicAddress, folder: Path) -> Configuration:
    return Configuration.model_validate(
        {
            "name": NAME,
            "source": {
                "kinesis": {"stream": stream.stream, "region": stream.region, "endpoint_url": stream.url},
            },
            "sink": {"kafka": {"bootstrap_servers": [topic.server], "topic": topic.topic}},
            "checkpoints": {"sqlite": {"path": str(folder / f"{NAME}.kmbridge.db")}},
            "http": None,
        }
    )
