"""The offsets of a consumer group that is somebody else's: looked up, and set while it is empty."""

from collections.abc import Mapping
from contextlib import closing

from bridge.config import Configuration
from bridge.coordination.empty_group import EmptyGroup
from bridge.coordination.members import members
from bridge.errors import UsageError
from bridge.keeping.clusters import connection_of
from bridge.migration.translation.errors import ConsumerMovingError, UnknownPlaceError
from checkpoints.base import StoreBusyError
from checkpoints.kafka.group.committer import CommittedOffset, ConsumerGroup
from checkpoints.kafka.group.offsets import GroupOffsets
from checkpoints.kafka.threads import Threads

_SESSION_S = 45.0
"""After how long, by Kafka's own default, a consumer that died is a member no more."""


def group_of(configuration: Configuration, name: str) -> ConsumerGroup:
    """The group of that name, of the topic at an end of the mirror; of the source's where both are topics."""
    end = configuration.source.kafka or configuration.sink.kafka
    if end is None:
        raise UsageError(f"look up group {name}", "neither end of the mirror is a topic of Kafka")
    return ConsumerGroup(connection_of(end, name).settings(), name, end.topic)


async def committed(group: ConsumerGroup) -> dict[str, int]:
    """What the group reads next, by partition; those without an offset are left out. Raises ``CheckpointError``."""
    thread = Threads(1, "group offsets")
    try:
        return await thread.run(lambda _stop: _look_up(group))
    finally:
        thread.close()


async def committed_some(group: ConsumerGroup) -> dict[str, int]:
    """As ``committed``. Raises ``UnknownPlaceError`` where there is nothing."""
    found = await committed(group)
    if not found:
        raise UnknownPlaceError(
            f"look up the offsets of {group}",
            f"it has committed none for topic {group.topic}",
            "check its name; brokers forget the offsets of a group that is empty for offsets.retention.minutes",
        )
    return found


async def at_work(group: ConsumerGroup) -> tuple[str, ...]:
    """Who is a member, for a person. Raises ``CheckpointError``."""
    found = await members(group.connection, group.group, group.topic)
    return tuple(f"{each} is a member of group {group.group}" for each in found)


async def move(group: ConsumerGroup, offsets: Mapping[str, int]) -> None:
    """Set ``offsets``, all or none. Raises ``ConsumerMovingError`` where the group has members."""
    try:
        wanted = {int(partition): CommittedOffset(offset) for partition, offset in offsets.items()}
        await EmptyGroup(group, _SESSION_S).commit(wanted)
    except StoreBusyError as error:
        raise ConsumerMovingError(error.operation, error.cause, "stop its consumers, then translate again") from error


def _look_up(group: ConsumerGroup) -> dict[str, int]:
    with closing(GroupOffsets(group)) as offsets:
        return {str(partition): found.offset for partition, found in sorted(offsets.look_up().items())}
