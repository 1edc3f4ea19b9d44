"""What two sides and their consumers must be like, whoever asks: a migration before it begins, and anybody else."""

from collections.abc import Awaitable

from bridge.findings import Finding, LookError, Severity, failure
from bridge.migration.leases import scan as leases
from bridge.migration.measures.consumers import ConsumerState, group
from bridge.migration.sides import Sides
from bridge.migration.translation.application import leases_in, unresolved
from bridge.migration.translation.group import committed, group_of
from checkpoints.dynamodb.faults import MissingTableError
from connectors.counted import counted

ORDER, CONSUMERS = "order", "consumers"


async def looked(check: str, finding: Awaitable[Finding], otherwise: Severity = Severity.FAILED) -> Finding:
    """What looking came to; where that fails, the failure is what was found, as bad as ``otherwise`` says."""
    try:
        return await finding
    except LookError as error:
        return failure(check, error, otherwise)


def order(address: str, *, keeps_order: bool) -> Finding:
    """Whether the stream at ``address`` sends the records of a key to one shard, in their order."""
    strategy = "USER_PARTITION_KEY" if keeps_order else "AUTO"
    found = f"{address} has record distribution strategy {strategy}"
    if keeps_order:
        return Finding(ORDER, Severity.OK, found, "the records of a key are in one shard, in their order")
    reason = "records of one key go to any shard, whatever their key"
    return Finding(ORDER, Severity.FAILED, found, reason, "set it to USER_PARTITION_KEY")


async def application(
    sides: Sides, name: str, region: str | None, endpoint_url: str | None, *, begins_somewhere: bool = False
) -> Finding:
    """Whether the KCL application ``name`` has places in the mirror's stream. Its table is in ``region``, None: there.

    ``begins_somewhere``: it is known where it begins, should it have stored no place. Raises as looking does.
    """
    stream = sides.stream
    table = stream.lease_table(name, region, endpoint_url)
    try:
        found = await leases.read(table, clock=sides.clock)
    except MissingTableError as error:
        return Finding(
            CONSUMERS, Severity.FAILED, f"application {name} is not there", "no table has its name", error.hint
        )
    known = leases_in(stream, found.leases.values(), name)
    unplaced = [] if begins_somewhere else unresolved(known)
    if unplaced:
        return Finding(
            CONSUMERS,
            Severity.FAILED,
            f"application {name} has no place in {', '.join(unplaced[:3])}",
            f"{len(unplaced)} of {len(known)} leases are at LATEST or AT_TIMESTAMP, which tell no place",
            "let it checkpoint once; or cutover.consumers[].start: trim_horizon",
        )
    return Finding(CONSUMERS, Severity.OK, f"application {name} has {counted(len(known), 'lease')} of {stream.name}")


async def consumer_group(sides: Sides, name: str) -> Finding:
    """Whether the group ``name`` has members or offsets. Raises as looking does."""
    found = await group(sides, name)
    if found.state is ConsumerState.ABSENT:
        remedy = "check its name; brokers forget groups that stay empty"
        return Finding(
            CONSUMERS, Severity.FAILED, f"group {name} is not there", "it has no members and no offsets", remedy
        )
    offsets = await committed(group_of(sides.configuration, name))
    told = f"group {name} has {counted(len(offsets), 'offset')} and {counted(len(found.at_work), 'member')}"
    return Finding(CONSUMERS, Severity.OK, told)
