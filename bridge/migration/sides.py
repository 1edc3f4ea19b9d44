"""Both ends of a mirror, whatever they are, read by somebody who leaves no trace in either."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

from bridge.assembly.opening import all_opened
from bridge.assembly.reading import SideMaker
from bridge.config import Configuration
from bridge.engine.budget import ByteBudget
from bridge.engine.retry import Backoff
from bridge.errors import UsageError
from bridge.keeping.stores import checkpoint_reader
from bridge.migration.log import Log, StreamLog, TopicLog
from checkpoints.base import Checkpoint
from connectors.base import Clock, Observer, Source
from connectors.kafka.source import KafkaSource
from connectors.kinesis.polling import KinesisSource

_MEMORY = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Sides:
    """Both, entered, of the mirror that ``configuration`` names."""

    configuration: Configuration
    clock: Clock
    source: Log
    sink: Log

    @property
    def stream(self) -> StreamLog:
        """The stream, the source where both are. Raises ``UsageError`` where neither is."""
        for side in (self.source, self.sink):
            if isinstance(side, StreamLog):
                return side
        raise UsageError("look at an application", "neither end of the mirror is a stream of Kinesis")

    @property
    def topic(self) -> TopicLog:
        """The topic, the source where both are. Raises ``UsageError`` where neither is."""
        for side in (self.source, self.sink):
            if isinstance(side, TopicLog):
                return side
        raise UsageError("look at a group", "neither end of the mirror is a topic of Kafka")

    async def checkpoints(self) -> Mapping[str, Checkpoint]:
        """The mirror's as they are stored now, by partition; but for those of other ends that had the same names.

        Raises ``CheckpointError``.
        """
        return of_these(await checkpoint_reader(self.configuration).load(), self.source, self.sink)


def of_these(checkpoints: Mapping[str, Checkpoint], source: Log, sink: Log) -> Mapping[str, Checkpoint]:
    """Those that were made between ``source`` and ``sink``, and not between others that had the same names."""
    ends = (source.source.identity, sink.source.identity)
    return {
        partition: each
        for partition, each in checkpoints.items()
        if all(told in ("", end) for told, end in zip((each.source, each.sink), ends, strict=True))
    }


@asynccontextmanager
async def opened(configuration: Configuration, clock: Clock) -> AsyncIterator[Sides]:
    """Both sides while the context lasts. Raises ``UnreachableError`` and ``RefusedError`` within half a minute."""
    random = Random()
    make = SideMaker(configuration, clock, random, Observer())
    source, sink = make.source(), make.sink()
    budget = ByteBudget(_MEMORY)

    def log(side: Source) -> Log:
        match side:
            case KinesisSource():
                return StreamLog(side, budget, clock, lambda: Backoff(random))
            case KafkaSource():
                return TopicLog(side, budget, clock, lambda: Backoff(random))
        raise TypeError(f"a side is a stream or a topic, not {type(side).__name__}")

    async with AsyncExitStack() as stack:
        await all_opened(stack, {"source": source, "sink": sink})
        yield Sides(configuration, clock, log(source), log(sink))
