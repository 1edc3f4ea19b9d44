"""Whether consumers are there, and whether they are at work."""

from dataclasses import dataclass
from enum import StrEnum

from bridge.migration.leases.rest import FAILOVER_S, Moving, watch
from bridge.migration.sides import Sides
from bridge.migration.translation.application import leases_in
from bridge.migration.translation.group import at_work, committed, group_of
from checkpoints.dynamodb.faults import MissingTableError


class ConsumerState(StrEnum):
    ABSENT = "absent"
    """There is no table, or neither a member nor an offset."""
    AT_REST = "at_rest"
    """It has places and nobody works on them."""
    MOVING = "moving"
    """Somebody is at work, or was in the middle of a hand-over."""


@dataclass(frozen=True, slots=True)
class ConsumerStanding:
    """An application of KCL or a group of Kafka's, by its name. ``at_work`` says who is at work, for a person."""

    name: str
    state: ConsumerState
    at_work: tuple[str, ...]


async def application(
    sides: Sides,
    name: str,
    *,
    failover_s: float = FAILOVER_S,
    region: str | None = None,
    endpoint_url: str | None = None,
) -> ConsumerStanding:
    """The KCL application of that name, which reads the mirror's stream; takes a second longer than ``failover_s``.

    Its table is in ``region``, None: the stream's. Raises ``UsageError`` where no side is a stream,
    ``UnknownPlaceError`` where the table is of other streams, and ``CheckpointError``.
    """
    stream = sides.stream
    table = stream.lease_table(name, region, endpoint_url)
    try:
        seen = await watch(table, clock=sides.clock, failover_s=failover_s)
    except MissingTableError:
        return ConsumerStanding(name, ConsumerState.ABSENT, ())
    leases_in(stream, seen.scan.leases.values(), name)
    if isinstance(seen, Moving):
        return ConsumerStanding(name, ConsumerState.MOVING, tuple(map(str, seen.movements)))
    return ConsumerStanding(name, ConsumerState.AT_REST, ())


async def group(sides: Sides, name: str) -> ConsumerStanding:
    """The group of that name, which reads the mirror's topic.

    Raises ``UsageError`` where no side is a topic, and ``CheckpointError``.
    """
    consumers = group_of(sides.configuration, name)
    members, offsets = await at_work(consumers), await committed(consumers)
    if not members and not offsets:
        return ConsumerStanding(name, ConsumerState.ABSENT, ())
    return ConsumerStanding(name, ConsumerState.MOVING if members else ConsumerState.AT_REST, members)
