"""What has to hold before a migration begins, looked at one by one: each finding with its remedy."""

from collections.abc import AsyncIterator, Awaitable, Collection, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.config import Configuration
from bridge.errors import BridgeError, UsageError
from bridge.keeping.stores import described
from bridge.migration.leases import scan as leases
from bridge.migration.log import Log, StreamLog
from bridge.migration.measures.arrivals import arrivals
from bridge.migration.measures.consumers import ConsumerState, group
from bridge.migration.measures.loops import came_back
from bridge.migration.measures.reversed import Codec, check_reversible
from bridge.migration.sides import Sides, opened
from bridge.migration.translation.application import leases_in, unresolved
from bridge.migration.translation.group import committed, group_of
from checkpoints.base import CheckpointError
from checkpoints.dynamodb.faults import MissingTableError
from connectors.base import Clock, ConnectorError

LASTS_MS = 7 * 86_400_000
"""How long a migration may last."""
_HOUR_MS = 3_600_000
_SAMPLE = 20_000
_REACHED = "both ends are reached"

_Finding = tuple[bool, str, str]
"""Whether it holds, what was found, and what to do where it does not."""


class Weight(StrEnum):
    MUST = "must"
    """Without it the migration cannot go well."""
    SHOULD = "should"
    """A person may go on without it, and should know."""


@dataclass(frozen=True, slots=True)
class Check:
    """One of them. ``reason`` is what was found, and ``remedy`` what to do, empty where it holds; for a person."""

    name: str
    holds: bool
    reason: str
    remedy: str = ""
    weight: Weight = Weight.MUST


@dataclass(frozen=True, slots=True)
class Consumers:
    """Those that are to move, by their names. Tables are in ``lease_region``, None: the stream's."""

    applications: Sequence[str] = ()
    groups: Sequence[str] = ()
    begun: Collection[str] = ()
    """Applications of which is known where they begin, should they have stored no place."""
    lease_region: str | None = None
    lease_endpoint_url: str | None = None


async def preflight(
    configuration: Configuration, consumers: Consumers, clock: Clock, *, codec: Codec = "kpl", lasts_ms: int = LASTS_MS
) -> tuple[Check, ...]:
    """All that can be looked at; of ends that are not reached, that alone. Takes some seconds and changes nothing.

    ``codec`` is the one of the mirror back, and ``lasts_ms`` how long the way back is to stay open.
    """
    try:
        async with opened(configuration, clock) as sides:
            reached = Check(_REACHED, holds=True, reason=f"{sides.source.address} and {sides.sink.address}")
            return (reached, *[each async for each in _looked_at(sides, consumers, codec, lasts_ms)])
    except (BridgeError, ConnectorError, CheckpointError) as error:
        return (_failed(_REACHED, error),)


async def _looked_at(sides: Sides, consumers: Consumers, codec: Codec, lasts_ms: int) -> AsyncIterator[Check]:
    yield _origins(sides.configuration)
    yield _reversible(sides.configuration, codec)
    yield _start(sides.configuration)
    yield await _asked("the mirror's checkpoints can be read", _checkpoints(sides))
    for log in (sides.source, sides.sink):
        if isinstance(log, StreamLog):
            yield _order(log)
        yield _retention(log, lasts_ms)
    for name in consumers.applications:
        yield await _asked(f"application {name} is there", _application(sides, consumers, name))
    for name in consumers.groups:
        yield await _asked(f"group {name} is there", _group(sides, name))
    yield replace(await _asked("only mirrors have written to the new side", _natives(sides)), weight=Weight.SHOULD)
    # A mirror back that is loop-safe harms nothing, and runs where a migration was rolled back.
    yield replace(await _asked("nothing mirrors back yet", _loop(sides)), weight=Weight.SHOULD)


async def _asked(name: str, finding: Awaitable[_Finding]) -> Check:
    """What looking came to; where that fails, the failure is what was found."""
    try:
        holds, reason, remedy = await finding
    except (BridgeError, ConnectorError, CheckpointError) as error:
        return _failed(name, error)
    return Check(name, holds, reason, "" if holds else remedy)


def _failed(name: str, error: BridgeError | ConnectorError | CheckpointError) -> Check:
    return Check(name, holds=False, reason=f"{error.operation}: {error.cause}", remedy=error.hint)


def _origins(configuration: Configuration) -> Check:
    holds = configuration.sends_origins
    reason = f"mirrored records {'carry' if holds else 'do not carry'} where they come from"
    remedy = "" if holds else "provenance: auto, into Kinesis with codec kpl or envelope"
    return Check("records carry their origin", holds, reason, remedy)


def _start(configuration: Configuration) -> Check:
    start = configuration.source.end.start
    holds = start in ("trim_horizon", "earliest")
    return Check(
        "the mirror begins at the oldest record",
        holds,
        f"it begins at {start}",
        "" if holds else "consumers that are behind that would lose records; translate names them. Or start: earliest",
        Weight.SHOULD,
    )


def _reversible(configuration: Configuration, codec: Codec) -> Check:
    name = "a mirror back is possible"
    try:
        check_reversible(configuration, codec)
    except UsageError as error:
        return _failed(name, error)
    return Check(name, holds=True, reason="origins tell what came back, in both directions")


def _order(log: StreamLog) -> Check:
    holds = log.stream.keeps_order
    strategy = "USER_PARTITION_KEY" if holds else "AUTO: records of one key go to any shard"
    return Check(
        f"{log.address} keeps the order of keys",
        holds,
        f"its record distribution strategy is {strategy}",
        "" if holds else "set it to USER_PARTITION_KEY",
    )


def _retention(log: Log, lasts_ms: int) -> Check:
    kept_ms = log.retention_ms
    holds = kept_ms is None or kept_ms >= lasts_ms
    kept = "without a limit" if kept_ms is None else f"for {kept_ms / _HOUR_MS:g} h"
    return Check(
        f"{log.address} keeps records for as long as the migration may take",
        holds,
        f"it keeps them {kept}",
        "" if holds else f"keep them for {lasts_ms / _HOUR_MS:g} h: until then there is a way back",
        Weight.SHOULD,
    )


async def _checkpoints(sides: Sides) -> _Finding:
    found = await sides.checkpoints()
    return True, f"{len(found)} in {described(sides.configuration)}", ""


async def _application(sides: Sides, consumers: Consumers, name: str) -> _Finding:
    stream = sides.stream
    table = stream.lease_table(name, consumers.lease_region, consumers.lease_endpoint_url)
    try:
        found = await leases.read(table, clock=sides.clock)
    except MissingTableError as error:
        return False, f"there is no table {name}", error.hint
    known = leases_in(stream, found.leases.values(), name)
    unplaced = [] if name in consumers.begun else unresolved(known)
    if unplaced:
        reason = f"{', '.join(unplaced[:3])} of {len(known)} leases are at LATEST or AT_TIMESTAMP, which tell no place"
        return False, reason, "let it checkpoint once; or cutover.consumers[].start: trim_horizon"
    return True, f"it has {len(known)} leases of {stream.name}", ""


async def _group(sides: Sides, name: str) -> _Finding:
    found = await group(sides, name)
    if found.state is ConsumerState.ABSENT:
        return False, "it has no members and no offsets", "check its name; brokers forget groups that stay empty"
    offsets = await committed(group_of(sides.configuration, name))
    return True, f"it has {len(offsets)} offsets and {len(found.at_work)} members", ""


async def _natives(sides: Sides) -> _Finding:
    found = await arrivals(sides.sink, {}, most=_SAMPLE)
    if not found.count:
        return True, f"no record among {found.read} was produced to {sides.sink.address}", ""
    reason = f"{found.count} records among {found.read} were produced to {sides.sink.address}"
    return False, reason, "the mirror back may copy them, where it has to read all of the new side"


async def _loop(sides: Sides) -> _Finding:
    count = await came_back(sides.source, sides.sink, sides.clock.now_ms())
    if not count:
        return True, f"no late record of {sides.source.address} came from {sides.sink.address}", ""
    reason = f"{count} late records of {sides.source.address} came from {sides.sink.address}"
    return False, reason, "stop the mirror that brought them; the cutover begins one of its own when it is due"
