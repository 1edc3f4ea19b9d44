"""What the sink has already."""

from bridge.assembly.reading import SideMaker
from bridge.doctor.clusters import Entered
from bridge.planning.measuring.figures import HOUR_MS, Sink
from connectors.base import ConnectorError
from connectors.kafka.source import KafkaSource
from connectors.kinesis.polling import KinesisSource


async def sink_seen(make: SideMaker, clusters: Entered) -> Sink:
    """Its partitions and retention, or why it was not seen: a plan does without, and a mirror may yet make it."""
    try:
        clusters.check(make.asked.sink.kafka)
        return await _seen(make)
    except ConnectorError as error:
        return Sink(unseen=f"{error.operation}: {error.cause}")


async def _seen(make: SideMaker) -> Sink:
    match side := make.sink():
        case KinesisSource():
            async with side:
                return Sink(len(await side.open_shards()), side.retention_ms / HOUR_MS)
        case KafkaSource():
            topic = await side.described()
            if topic is None:
                return Sink(unseen="there is no such topic yet")
            kept_ms = topic.limits.kept_for_ms
            return Sink(len(topic.partitions), None if kept_ms is None else kept_ms / HOUR_MS)
        case _:
            raise TypeError(f"a sink is a stream or a topic, not {type(side).__name__}")
