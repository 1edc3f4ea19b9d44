"""What has to hold before a migration begins, looked at one by one: each finding with its remedy."""

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass

from bridge.config import Configuration
from bridge.config.transforms.schemas import SchemasTransform
from bridge.errors import UsageError
from bridge.findings import Finding, LookError, Severity, failure
from bridge.keeping.stores import described
from bridge.migration.log import Log, StreamLog
from bridge.migration.measures.arrivals import arrivals
from bridge.migration.measures.loops import came_back
from bridge.migration.measures.reversed import Codec, check_reversible
from bridge.migration.measures.suitability import CONSUMERS, application, consumer_group, looked, order
from bridge.migration.sides import Sides, opened
from connectors.base import Clock
from connectors.counted import counted

LASTS_MS = 7 * 86_400_000
"""How long a migration may last."""
_HOUR_MS = 3_600_000
_SAMPLE = 20_000


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
) -> tuple[Finding, ...]:
    """All that can be looked at; of ends that are not reached, that alone. Takes some seconds and changes nothing.

    ``codec`` is the one of the mirror back, and ``lasts_ms`` how long the way back is to stay open.
    """
    try:
        async with opened(configuration, clock) as sides:
            reached = Finding(
                "reachability", Severity.OK, f"{sides.source.address} and {sides.sink.address} are reached"
            )
            return (reached, *[each async for each in _looked_at(sides, consumers, codec, lasts_ms)])
    except LookError as error:
        return (failure("reachability", error),)


async def _looked_at(sides: Sides, consumers: Consumers, codec: Codec, lasts_ms: int) -> AsyncIterator[Finding]:
    yield _origins(sides.configuration)
    yield _reversible(sides.configuration, codec)
    yield _start(sides.configuration)
    yield await looked("checkpoints", _checkpoints(sides))
    for log in (sides.source, sides.sink):
        if isinstance(log, StreamLog):
            yield order(log.address, keeps_order=log.stream.keeps_order)
        yield _retention(log, lasts_ms)
    for name in consumers.applications:
        yield await looked(CONSUMERS, _application(sides, consumers, name))
    for name in consumers.groups:
        yield await looked(CONSUMERS, consumer_group(sides, name))
    yield await looked("other producers", _natives(sides), Severity.WARNING)
    yield await looked("loops", _loop(sides), Severity.WARNING)


def _origins(configuration: Configuration) -> Finding:
    if configuration.sends_origins:
        return Finding("origins", Severity.OK, "mirrored records carry where they come from")
    remedy = "provenance: auto, into Kinesis with codec kpl or envelope"
    return Finding("origins", Severity.FAILED, "mirrored records do not carry where they come from", remedy=remedy)


def _start(configuration: Configuration) -> Finding:
    begins = configuration.source.begins
    found = f"the mirror begins at {begins}"
    if begins in ("trim_horizon", "earliest"):
        return Finding("start", Severity.OK, found)
    reason = "consumers that are behind that would lose records"
    return Finding("start", Severity.WARNING, found, reason, "translate names them; or begin at the oldest record")


def _reversible(configuration: Configuration, codec: Codec) -> Finding:
    try:
        check_reversible(configuration, codec)
    except UsageError as error:
        return failure("way back", error)
    if not all(isinstance(step, SchemasTransform) for step in configuration.transforms):
        reason = "transforms change records on their way, and nothing changes them back"
        remedy = "be sure that consumers at the source understand what producers will write to the sink"
        return Finding("way back", Severity.WARNING, "a mirror back has no transforms but schemas", reason, remedy)
    return Finding("way back", Severity.OK, "a mirror back is possible", "origins tell what came back, both ways")


def _retention(log: Log, lasts_ms: int) -> Finding:
    kept_ms = log.retention_ms
    found = f"{log.address} keeps records {'without a limit' if kept_ms is None else f'for {kept_ms / _HOUR_MS:g} h'}"
    if kept_ms is None or kept_ms >= lasts_ms:
        return Finding("retention", Severity.OK, found)
    remedy = f"keep them for {lasts_ms / _HOUR_MS:g} h: until then there is a way back"
    return Finding("retention", Severity.WARNING, found, "the migration may take longer", remedy)


async def _checkpoints(sides: Sides) -> Finding:
    found = await sides.checkpoints()
    return Finding("checkpoints", Severity.OK, f"{len(found)} in {described(sides.configuration)}")


async def _application(sides: Sides, consumers: Consumers, name: str) -> Finding:
    region, url = consumers.lease_region, consumers.lease_endpoint_url
    return await application(sides, name, region, url, begins_somewhere=name in consumers.begun)


async def _natives(sides: Sides) -> Finding:
    found = await arrivals(sides.sink, {}, most=_SAMPLE)
    if not found.count:
        told = f"no record of {found.read} was produced to {sides.sink.address}"
        return Finding("other producers", Severity.OK, told)
    return Finding(
        "other producers",
        Severity.WARNING,
        f"among {counted(found.read, 'record')} of {sides.sink.address} {found.count} came from other producers",
        "the mirror back may copy them, where it has to read all of the new side",
    )


async def _loop(sides: Sides) -> Finding:
    """A mirror back that is loop-safe harms nothing, and runs where a migration was rolled back."""
    count = await came_back(sides.source, sides.sink, sides.clock.now_ms())
    if not count:
        return Finding("loops", Severity.OK, f"no late record of {sides.source.address} came from {sides.sink.address}")
    return Finding(
        "loops",
        Severity.WARNING,
        f"{counted(count, 'late record')} of {sides.source.address} came from {sides.sink.address}",
        "something mirrors back already",
        "stop the mirror that brought them; the cutover begins one of its own when it is due",
    )
