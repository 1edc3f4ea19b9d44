"""Whether consumers are there, whether they are at work, and how far they have come."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bridge.migration.leases.lease import Lease, Processed
from bridge.migration.leases.rest import FAILOVER_S, Moving, watch
from bridge.migration.leases.table import lease_table
from bridge.migration.measures.sides import Sides
from bridge.migration.translation.application import leases_of, place
from bridge.migration.translation.group import at_work, committed, group_of
from bridge.migration.translation.log import StreamLog, TopicLog, side_by_side
from checkpoints.dynamodb.faults import MissingTableError
from connectors.base import End, GapError, Place


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

    Its table is in ``region``, None: the stream's. Of each lease that is at a record the first unprocessed one is
    looked for. Raises ``UsageError`` where no side is a stream, ``UnknownPlaceError`` where the table is of other
    streams, ``CheckpointError``, and what reading raises.
    """
    stream = sides.stream
    table = lease_table(name, region or stream.address.split(":")[1], endpoint_url)
    try:
        seen = await watch(table, clock=sides.clock, failover_s=failover_s)
    except MissingTableError:
        return ConsumerStanding(name, ConsumerState.ABSENT, (), ())
    stream_name = stream.address.rpartition(":")[2]
    leases = leases_of(seen.scan.leases.values(), stream_name, stream.stream.created_ms // 1000, name)
    places = await _places_of(stream, leases)
    if isinstance(seen, Moving):
        return ConsumerStanding(name, ConsumerState.MOVING, tuple(map(str, seen.movements)), places)
    return ConsumerStanding(name, ConsumerState.AT_REST, (), places)


async def group(sides: Sides, name: str) -> ConsumerStanding:
    """The group of that name, which reads the mirror's topic.

    Raises ``UsageError`` where no side is a topic, ``CheckpointError``, and what reaching the topic raises.
    """
    topic, consumers = sides.topic, group_of(sides.configuration, name)
    members, offsets = await at_work(consumers), await committed(consumers)
    ends = await topic.ends(await topic.listed())
    places = tuple(
        ConsumerPlace(partition, str(offset), _left(topic, ends.get(partition), offset), None)
        for partition, offset in sorted(offsets.items(), key=lambda each: int(each[0]))
    )
    if members:
        return ConsumerStanding(name, ConsumerState.MOVING, members, places)
    return ConsumerStanding(name, ConsumerState.AT_REST if offsets else ConsumerState.ABSENT, (), places)


async def _places_of(stream: StreamLog, leases: Mapping[str, Lease]) -> tuple[ConsumerPlace, ...]:
    ends = await stream.ends(await stream.listed())

    async def of(shard: str) -> ConsumerPlace:
        checkpoint = leases[shard].checkpoint
        unread_ms = None
        if isinstance(checkpoint, Processed) and shard in ends:
            unread_ms = await _first_behind(stream, shard, checkpoint, ends[shard])
        return ConsumerPlace(shard, place(checkpoint), None, unread_ms)

    return tuple(await side_by_side(of, sorted(leases)))


async def _first_behind(stream: StreamLog, shard: str, checkpoint: Processed, end: End) -> int | None:
    """When the first record behind ``checkpoint`` arrived; None where there is none before ``end``."""
    # KCL counts the user records of what is no aggregate as well, so that the record itself tells what it is.
    begin = Place(f"{checkpoint.sequence}#-1")
    try:
        return await _first_unread(stream, shard, begin, checkpoint, end)
    except GapError as gap:
        if gap.resume is None:
            raise
        # The checkpoint's own record has expired: whatever is left was not processed.
        return await _first_unread(stream, shard, gap.resume, checkpoint, end)


async def _first_unread(stream: StreamLog, shard: str, begin: Place, checkpoint: Processed, end: End) -> int | None:
    async with stream.reading(shard, begin, end) as batches:
        async for batch in batches:
            for position, time_ms in zip(batch.positions, batch.arrived_ms, strict=True):
                sequence, _, sub = position.partition("#")
                if (int(sequence), int(sub or 0)) > (int(checkpoint.sequence), checkpoint.sub_sequence):
                    return time_ms
    return None


def _left(topic: TopicLog, end: End | None, offset: int) -> int | None:
    if end is None or end.position is None:
        return None
    (behind_last,) = topic.rank(end.position)
    return max(0, behind_last - offset)
