"""Figures of the load of a configuration's source, and of what its sink has already."""

from random import Random

from bridge.assembly.reading import SideMaker
from bridge.config import Configuration
from bridge.doctor.clusters import entered
from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.groups import together
from bridge.keeping.clusters import LOCATING_S
from bridge.migration.log import StreamLog, TopicLog
from bridge.planning.measuring.figures import Figures
from bridge.planning.measuring.sink import sink_seen
from bridge.planning.measuring.stream import stream_figures
from bridge.planning.measuring.topic import topic_figures
from connectors.base import Clock, Observer
from connectors.kafka.source import KafkaSource
from connectors.kinesis.polling import KinesisSource

_MEMORY = 32 * 2**20


async def measured(asked: Configuration, clock: Clock) -> Figures:
    """Looks at both ends of ``asked``. Joins no group, and takes some seconds.

    Raises ``UnreachableError`` and ``RefusedError``, as opening and reading the source do; a sink that cannot be seen
    is told in the figures.
    """
    clusters = await entered(asked, LOCATING_S)
    clusters.check(asked.source.kafka)
    make = SideMaker(clusters.configuration, clock, Random(), Observer())
    async with together() as tasks:
        loading = tasks.create_task(_load(make), name="measure the source")
        looking = tasks.create_task(sink_seen(make, clusters), name="look at the sink")
    return Figures(sink=looking.result()).over(loading.result())


async def _load(make: SideMaker) -> Figures:
    clock, random, budget = make.clock, make.random, ByteBudget(_MEMORY)
    asked = make.asked
    match source := make.source():
        case KinesisSource():
            end = asked.source.kinesis
            assert end is not None  # noqa: S101 - it is what the source was made of
            async with source:
                own = asked.fan_out_consumer or asked.group
                return await stream_figures(end, own, StreamLog(source, budget, clock, lambda: Backoff(random)), clock)
        case KafkaSource():
            async with source:
                return await topic_figures(TopicLog(source, budget, clock, lambda: Backoff(random)), clock)
        case _:
            raise TypeError(f"a source is a stream or a topic, not {type(source).__name__}")
