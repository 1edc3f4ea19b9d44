"""The stream and the topic between which consumers move, and how far the mirrors between them are."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bridge.config import Configuration
from bridge.config.sink import Sink
from bridge.config.source import Source
from bridge.errors import UsageError
from bridge.keeping.stores import checkpoint_reader
from bridge.migration import sides
from bridge.migration.log import Log, StreamLog, TopicLog
from bridge.migration.translation.reach import Reach
from checkpoints.base import Checkpoint
from connectors.base import Clock


@dataclass(frozen=True, slots=True)
class Crossing:
    """Both, entered. Checkpoints are those of before anything else was looked at."""

    stream: StreamLog
    topic: TopicLog
    is_from_stream: bool
    """Whether the stream is the mirror's source."""
    checkpoints: Mapping[str, Checkpoint]
    checkpoints_back: Mapping[str, Checkpoint]
    """Of the mirror back; empty where nobody has told of one."""

    def is_source(self, log: Log) -> bool:
        """Whether the mirror reads ``log``; otherwise that is where a mirror back begins."""
        return (log is self.stream) is self.is_from_stream

    def reach(self, source: Log, sink: Log) -> Reach:
        """Of the mirror from ``source`` to ``sink``."""
        return Reach(source, sink, self.checkpoints if self.is_source(source) else self.checkpoints_back)


@asynccontextmanager
async def opened(configuration: Configuration, back: Configuration | None, clock: Clock) -> AsyncIterator[Crossing]:
    """Both sides while the context lasts.

    Raises ``UsageError`` where they are not a stream and a topic, records carry no origin, or ``back`` is no mirror
    back; ``UnreachableError`` and ``RefusedError`` within half a minute, and ``CheckpointError`` where a mirror's
    checkpoints cannot be read.
    """
    _check(configuration)
    if back is not None:
        _check(back)
        _check_opposite(configuration, back)
    if (configuration.source.kafka is None) == (configuration.sink.kafka is None):
        raise UsageError("translate", "it moves consumers between a stream of Kinesis and a topic of Kafka")
    checkpoints = await checkpoint_reader(configuration).load()
    checkpoints_back = {} if back is None else await checkpoint_reader(back).load()
    async with sides.opened(configuration, clock) as ends:
        stream, topic = ends.stream, ends.topic
        yield Crossing(stream, topic, ends.source is stream, checkpoints, checkpoints_back)


def _check(configuration: Configuration) -> None:
    if not configuration.sends_origins:
        raise UsageError(
            "translate",
            "mirrored records carry no origin, which tells where they come from",
            "mirror with provenance: auto, into Kinesis with codec kpl or envelope",
        )
    stream = configuration.source.kinesis
    if stream is not None and stream.deaggregate == "never":
        raise UsageError(
            "translate",
            "source.kinesis.deaggregate is never, and an application stands inside of aggregates",
            "where the stream has none, --set source.kinesis.deaggregate=keep_all",
        )


def _check_opposite(configuration: Configuration, back: Configuration) -> None:
    ends, ends_back = (_name(configuration.source), _name(configuration.sink)), (_name(back.source), _name(back.sink))
    if ends_back != ends[::-1]:
        raise UsageError(
            "translate",
            f"mirror {back.name} leads from {ends_back[0]} to {ends_back[1]}, and is no mirror back from {ends[1]}",
            f"name the one that leads from {ends[1]} to {ends[0]}",
        )


def _name(side: Source | Sink) -> str:
    """However it is reached: checkpoints tell themselves what they are of."""
    return side.end.title if side.kinesis is None else f"Kinesis stream {side.kinesis.stream_name}"
