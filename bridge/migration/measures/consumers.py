"""Whether consumers are there, whether they are at work, and how far they have come."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bridge.config.ends import KafkaEnd
from bridge.config.librdkafka import plain
from bridge.errors import UsageError
from bridge.migration.leases.lease import Lease, Processed, Sentinel
from bridge.migration.leases.rest import FAILOVER_S, Moving, watch
from bridge.migration.leases.table import lease_table
from bridge.migration.measures.sides import Sides
from bridge.migration.translation.group import at_work, committed
from bridge.migration.translation.log import Log, StreamLog, TopicLog, side_by_side
from checkpoints.dynamodb.faults import MissingTableError
from checkpoints.kafka.group.committer import ConsumerGroup
from connectors.base import End, GapError, Place
from connectors.kafka.connection import Connection


class ConsumerState(StrEnum):
    ABSENT = "absent"
    """There is no table, or neither a member nor an offset."""
    AT_REST = "at_rest"
    """It has places and nobody works on them."""
    MOVING = "moving"
    """Somebody is at work, or was in the middle of a hand-over."""


@dataclass(frozen=True, slots=True)
class ConsumerPlace:
    """How far consumers have come in one partition."""

    partition: str
    place: str
    """The checkpoint of a lease as the table has it, or the offset that a group reads next."""
    lag_records: int | None
    """How many offsets there are from there to the end, those without a record included; None in a stream."""
    unread_ms: int | None
    """When the first record arrived that is not processed; None where there is none, or where it was not looked for."""


@dataclass(frozen=True, slots=True)
class ConsumerStanding:
    """An application of KCL or a group of Kafka's, by its name. ``at_work`` says who is at work, for a person."""

    name: str
    state: ConsumerState
    at_work: tuple[str, ...]
    places: tuple[ConsumerPlace, ...]


async def application(
    sides: Sides,
    name: str,
    *,
    failover_s: float = FAILOVER_S,
    region: str | None = None,
    endpoint_url: str | None = None,
) -> ConsumerStanding:
    """The KCL application of that name, which reads the mirror's stream; takes a second longer than ``failover_s``.

    ``region`` None: the stream's. Of each lease that is at a record the first unprocessed one is looked for. Raises
    ``UsageError`` where no side is a stream, ``CheckpointError``, and what reading raises.
    """
    stream = _stream(sides)
    table = lease_table(name, region or stream.address.split(":")[1], endpoint_url)
    try:
        seen = await watch(table, clock=sides.clock, failover_s=failover_s)
    except MissingTableError:
        return ConsumerStanding(name, ConsumerState.ABSENT, (), ())
    leases = _of_stream(seen.scan.leases, stream)
    moving = tuple(map(str, seen.movements)) if isinstance(seen, Moving) else ()
    places = await _lease_places(stream, leases)
    return ConsumerStanding(name, ConsumerState.MOVING if moving else ConsumerState.AT_REST, moving, places)


async def group(sides: Sides, name: str) -> ConsumerStanding:
    """The group of that name, which reads the mirror's topic.

    Raises ``UsageError`` where no side is a topic, ``CheckpointError``, and what reaching the topic raises.
    """
    place = _group(sides, name)
    members, offsets = await at_work(place), await committed(place)
    log = _topic(sides)
    ends = await log.ends(await log.listed())
    places = tuple(
        ConsumerPlace(partition, str(offset), _distance(log, ends.get(partition), offset), None)
        for partition, offset in sorted(offsets.items(), key=lambda each: int(each[0]))
    )
    if members:
        return ConsumerStanding(name, ConsumerState.MOVING, members, places)
    return ConsumerStanding(name, ConsumerState.AT_REST if offsets else ConsumerState.ABSENT, (), places)


async def _lease_places(stream: Log, leases: Mapping[str, Lease]) -> tuple[ConsumerPlace, ...]:
    listed = await stream.listed()
    ends = await stream.ends(listed)

    async def of(shard: str) -> ConsumerPlace:
        checkpoint = leases[shard].checkpoint
        unread_ms = None
        if isinstance(checkpoint, Processed) and shard in ends:
            unread_ms = await _first_behind(stream, shard, checkpoint, ends[shard])
        text = checkpoint.value if isinstance(checkpoint, Sentinel) else str(checkpoint)
        return ConsumerPlace(shard, text, None, unread_ms)

    return tuple(await side_by_side(of, sorted(leases)))


async def _first_behind(stream: Log, shard: str, checkpoint: Processed, end: End) -> int | None:
    try:
        return await stream.time_behind(shard, Place(str(checkpoint)), end)
    except GapError:
        # It may be a place that expired behind the consumer: what it tells is not how far it has come.
        return None
