"""Where a mirror's checkpoints are, by its configuration: what can be seen and changed without reaching its ends."""

import re
from collections.abc import Iterable

from bridge.config import Configuration
from bridge.config.checkpoints import DynamoCheckpoints as DynamoSection
from bridge.errors import UsageError
from bridge.keeping.clusters import connection_of
from checkpoints.base import CheckpointReader, CheckpointStore
from checkpoints.dynamodb.reader import DynamoReader
from checkpoints.dynamodb.store import DynamoCheckpoints
from checkpoints.dynamodb.table import Table
from checkpoints.kafka.group.committer import ConsumerGroup
from checkpoints.kafka.group.store import GroupCheckpointReader
from checkpoints.kafka.store import KafkaCheckpointReader
from checkpoints.kafka.topic import CheckpointTopic
from checkpoints.memory import MemoryCheckpoints
from checkpoints.sqlite.store import SqliteCheckpoints, SqliteReader
from connectors.base import Clock
from connectors.kinesis import position

_SERVERLESS = ".kafka-serverless."
_SERVERLESS_SLOTS = 16
"""A Serverless cluster has room for 120 compacted partitions in all."""
_PATIENCE_S = 20.0
_OFFSETS = 2**63 - 1
"""The offset behind a record is one as well, and the last that there can be."""


def checkpoint_place(configuration: Configuration) -> CheckpointTopic | None:
    """The topic that holds the checkpoints, with what any client of its cluster is configured with; None elsewhere."""
    place = configuration.checkpoint_topic
    cluster = configuration.checkpoint_cluster
    if place is None or cluster is None:
        return None
    group = configuration.group
    connection = connection_of(cluster, group, configuration.checkpoint_end)
    return CheckpointTopic(connection.settings(), configuration.name, group, place.topic)


def group_place(configuration: Configuration) -> ConsumerGroup | None:
    """The mirror's group of the topic that it reads, where its offsets are the checkpoints; None elsewhere."""
    section = configuration.source.kafka
    if section is None or not configuration.checkpoints_in_source_group:
        return None
    group = configuration.group
    connection = connection_of(section, group)
    return ConsumerGroup(connection.settings(), group, section.topic)


def asked_slots(configuration: Configuration) -> int | None:
    """How many slots the checkpoint topic is to have; None: as many as there are, or the default."""
    asked, cluster = configuration.checkpoint_topic, configuration.checkpoint_cluster
    if asked is None or cluster is None or asked.slots is not None:
        return None if asked is None else asked.slots
    return default_slots(cluster.servers)


def default_slots(bootstrap_servers: Iterable[str]) -> int | None:
    """How many slots a checkpoint topic of this cluster is to have where nobody says; None: the default of all."""
    return _SERVERLESS_SLOTS if any(_SERVERLESS in each for each in bootstrap_servers) else None


def own_store(configuration: Configuration, clock: Clock) -> CheckpointStore:
    """The store of one worker that ``configuration`` names, not entered; for checkpoints that are not in Kafka."""
    choice = configuration.checkpoints
    if configuration.sqlite_path is not None:
        return SqliteCheckpoints(configuration.sqlite_path, configuration.name)
    if isinstance(choice, DynamoSection):
        session_s = configuration.workers.session_timeout
        return DynamoCheckpoints(dynamo_table(choice), configuration.name, clock=clock, session_s=session_s)
    return MemoryCheckpoints()


def checkpoint_reader(configuration: Configuration, *, patience_s: float = _PATIENCE_S) -> CheckpointReader:
    """Sees the checkpoints, also while a mirror runs; waits for ``patience_s`` for what is open in Kafka."""
    choice = configuration.checkpoints
    if configuration.sqlite_path is not None:
        return SqliteReader(configuration.sqlite_path, configuration.name)
    if isinstance(choice, DynamoSection):
        return DynamoReader(dynamo_table(choice), configuration.name)
    group = group_place(configuration)
    if group is not None:
        return GroupCheckpointReader(group)
    place = checkpoint_place(configuration)
    return MemoryCheckpoints() if place is None else KafkaCheckpointReader(place, patience_s=patience_s)


def described(configuration: Configuration) -> str:
    """Where the checkpoints are, for a person."""
    choice = configuration.checkpoints
    if configuration.sqlite_path is not None:
        return str(configuration.sqlite_path)
    if isinstance(choice, DynamoSection):
        return f"DynamoDB table {choice.dynamodb.table}"
    source = configuration.source.kafka
    if source is not None and configuration.checkpoints_in_source_group:
        group = configuration.group
        return f"group {group} of topic {source.topic} at {','.join(source.names)}"
    place = configuration.checkpoint_topic
    return "memory" if place is None else f"topic {place.topic} at {','.join(place.names)}"


def checked_partition(configuration: Configuration, text: str) -> str:
    """``text`` as the source writes a partition's name. Raises ``UsageError`` where it cannot be one."""
    if configuration.source.kafka is None:
        return text
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise UsageError("read a partition", f'found "{text}"; allowed: the number of a partition of the topic')
    return str(int(text))


def checked_position(configuration: Configuration, text: str) -> str:
    """``text`` in the form in which the source writes positions. Raises ``UsageError`` where it is none."""
    if configuration.source.kafka is not None:
        return _checked_offset(text)
    try:
        return str(position.parse(text))
    except ValueError as error:
        raise UsageError("read a position", str(error)) from None


def _checked_offset(text: str) -> str:
    if not re.fullmatch(r"\d{1,19}", text, re.ASCII) or int(text) >= _OFFSETS:
        raise UsageError("read a position", f'found "{text}"; allowed: the offset of a record of the topic')
    return str(int(text))


def dynamo_table(section: DynamoSection) -> Table:
    """The table that ``section`` names."""
    asked = section.dynamodb
    return Table(asked.table, asked.region, asked.endpoint_url)
