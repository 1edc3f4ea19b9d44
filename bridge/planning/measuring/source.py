"""Figures of the load of a configuration's source."""

from random import Random

from bridge.assembly.reading import SideMaker
from bridge.config import Configuration
from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.migration.log import StreamLog, TopicLog
from bridge.planning.measuring.figures import Figures
from bridge.planning.measuring.stream import stream_figures
from bridge.planning.measuring.topic import topic_figures
from connectors.base import Clock, Observer
from connectors.kafka.source import KafkaSource
from connectors.kinesis.polling import KinesisSource

_MEMORY = 32 * 2**20


async def measured(asked: Configuration, clock: Clock) -> Figures:
    """Looks at the source of ``asked``, whose clusters are located. Joins no group, and takes some seconds.

    Raises ``UnreachableError`` and ``RefusedError``, as opening and reading the source do.
    """
    random, budget = Random(), ByteBudget(_MEMORY)
    match source := SideMaker(asked, clock, random, Observer()).source():
        case KinesisSource():
            end = asked.source.kinesis
            assert end is not None  # noqa: S101 - it is what the source was made of
            async with source:
                return await stream_figures(end, StreamLog(source, budget, clock, lambda: Backoff(random)), clock)
        case KafkaSource():
            async with source:
                return await topic_figures(TopicLog(source, budget, clock, lambda: Backoff(random)), clock)
        case _:
            raise TypeError(f"a source is a stream or a topic, not {type(source).__name__}")
