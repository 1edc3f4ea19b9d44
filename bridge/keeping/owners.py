"""Who owns a mirror's checkpoints at the moment, partition by partition, as far as an onlooker can tell."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from bridge.config import Configuration
from bridge.config.checkpoints import DynamoCheckpoints as DynamoSection
from bridge.coordination.members import Member, members
from bridge.keeping.stores import checkpoint_place, dynamo_table, group_place
from checkpoints.dynamodb.client import connect
from checkpoints.dynamodb.faults import MissingTableError
from checkpoints.dynamodb.header import HeaderItem
from checkpoints.dynamodb.table import Table
from checkpoints.kafka.slots import slot_of
from checkpoints.kafka.topic import CheckpointTopic, TopicDesk
from connectors.base import Clock

_LOCKS = Path("/proc/locks")


@dataclass(frozen=True, slots=True)
class Holder:
    """A living worker. ``host`` is empty where it is unknown, or part of the name."""

    worker: str
    host: str = ""

    def __str__(self) -> str:
        return f"{self.worker} at {self.host}" if self.host else self.worker


async def holders(configuration: Configuration, partitions: Collection[str], clock: Clock) -> Mapping[str, Holder]:
    """The owners of ``partitions``; those of nobody, or of whom it cannot be told, are left out.

    Takes no lock and joins no group: nobody is disturbed. A worker that died lasts until its session is over.
    """
    choice = configuration.checkpoints
    shared, place = group_place(configuration), checkpoint_place(configuration)
    if shared is not None:
        found = await members(shared.connection, shared.group, shared.topic)
        return _owning(found, {partition: int(partition) for partition in partitions})
    if place is not None:
        return await _members(place, partitions)
    holder: Holder | None = None
    if configuration.sqlite_path is not None:
        holder = await asyncio.to_thread(_lock_holder, configuration.sqlite_path)
    elif isinstance(choice, DynamoSection):
        holder = await _header_owner(dynamo_table(choice), configuration.name, clock.now_ms())
    return {} if holder is None else dict.fromkeys(partitions, holder)


async def _members(place: CheckpointTopic, partitions: Collection[str]) -> Mapping[str, Holder]:
    slots = await asyncio.to_thread(TopicDesk(place.connection, place.topic).look_up)
    if slots is None or not partitions:
        return {}
    found = await members(place.connection, place.group, place.topic)
    return _owning(found, {partition: slot_of(partition, slots) for partition in partitions})


def _owning(found: Collection[Member], homes: Mapping[str, int]) -> Mapping[str, Holder]:
    """Who of ``found`` owns the slot of each partition in ``homes``."""
    owners = {slot: Holder(member.worker, member.host) for member in found for slot in member.slots}
    return {partition: owners[slot] for partition, slot in homes.items() if slot in owners}


async def _header_owner(table: Table, mirror: str, now_ms: int) -> Holder | None:
    """The owner whose session is not over, as far as two clocks agree."""
    async with connect(table) as caller:
        try:
            header = await HeaderItem(caller, table, mirror).read()
        except MissingTableError:
            return None
    if header.owner is None or now_ms - header.renewed_ms > header.session_ms:
        return None
    return Holder(header.owner)


def _lock_holder(path: Path) -> Holder | None:
    """The process that holds the file's lock, where the system lists locks: trying it could refuse a starting worker.

    Its own id in the lock file must agree, for processes of other containers are known by other ids.
    """
    lock = path.with_name(f"{path.name}.lock")
    try:
        owner, inode = lock.read_text().strip(), lock.stat().st_ino
        held = [line.split() for line in _LOCKS.read_text().splitlines() if " FLOCK " in line]
    except (OSError, UnicodeDecodeError):
        return None
    if any(fields[4] == owner and fields[5].endswith(f":{inode}") for fields in held if len(fields) > 5):
        return Holder(f"process {owner}")
    return None
