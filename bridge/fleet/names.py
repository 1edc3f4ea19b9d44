"""The names among which a pattern finds those that it matches."""

from bridge.config import Family
from bridge.keeping.clusters import connection_of, located_cluster
from connectors.base import Clock
from connectors.kafka.topics import topic_names
from connectors.kinesis.client import Connection as ToKinesis
from connectors.kinesis.stream import StreamName
from connectors.kinesis.streams import stream_names


async def names_of(family: Family, clock: Clock) -> set[str]:
    """All streams, or topics, where the source of ``family`` is. Raises ``ConnectorError`` within 30 seconds."""
    sample = family.sample
    if (stream := sample.source.kinesis) is not None:
        name = StreamName.of(stream.stream)
        return await stream_names(ToKinesis(name, stream.region, stream.endpoint_url, stream.assume_role_arn), clock)
    topic = sample.source.kafka
    assert topic is not None  # noqa: S101 - a choice has exactly one
    cluster = await located_cluster(topic, sample.group)
    return await topic_names(connection_of(cluster, sample.group), clock)
